#include "api/explaining.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "api/backgrounds.hpp"
#include "api/map_warnings.hpp"
#include "api/smoothing.hpp"
#include "base/checked.hpp"
#include "base/text.hpp"
#include "explain/sizes.hpp"
#include "explain/windows.hpp"
#include "simd/kernels.hpp"

namespace fovea {
namespace api {
namespace {

using Clock = std::chrono::steady_clock;
using Part = explain::NetworkSpec::Part;

/// Of an element, counted in order.
Shape place_in(const Shape& shape, std::int64_t element) {
  Shape out(shape.size());
  for (std::size_t d = shape.size(); d-- > 0; element /= shape[d]) out[d] = element % shape[d];
  return out;
}

float combined(Fuse how, float so_far, float next) {
  switch (how) {
    case Fuse::max:
      return std::max(so_far, next);
    case Fuse::product:
      return so_far * next;
    default:
      return so_far + next;
  }
}

}  // namespace

const explain::Layer& layer_named(const Explainer::Impl& explainer, const std::string& name) {
  if (explainer.prepared.empty())
    throw Error(ErrorCode::invalid_argument,
                explainer.default_layer.empty()
                    ? "this model has no layer to explain by default: " + explainer.default_why
                    : "the explainer was made without methods or layers to explain");
  if (name.empty()) return explainer.prepared.front();
  for (const auto& layer : explainer.prepared)
    if (layer.name == name) return layer;
  throw Error(ErrorCode::invalid_argument, "the explainer was not prepared for this layer",
              {"", name, ""});
}

explain::Needs needs_of(const explain::Entry& entry, explain::Layer layer,
                        const explain::Settings& settings, const ExplainerOptions& options,
                        const Shape& extents) {
  layer.is_head_map = layer.is_head_map && options.compile.optimize;
  auto needs = entry.needs(layer, settings);
  const auto of_windows = [](const auto& spec) { return spec.part == Part::windows; };
  if (!options.compile.optimize) std::erase_if(needs.networks, of_windows);
  for (auto& spec : needs.networks)
    if (of_windows(spec)) spec.windows = explain::sized_for(spec.windows, extents);
  return needs;
}

Borrowed::Borrowed(const Network& network, const CallOptions& call)
    : lease_(*network.pool, call),
      known_(network.known ? std::make_unique<Borrowed>(*network.known, call) : nullptr),
      network_{*network.plan,
               lease_.workspace(),
               network.batch,
               network.stacked,
               network.reads_inputs,
               network.windows ? &*network.windows : nullptr,
               known_ ? &known_->network() : nullptr} {}

void Explaining::check_targets(std::span<const Target> targets) const {
  if (!explainer_.dense_scores) return;
  for (const auto& target : targets)
    if (target.as<Target::Class>() || target.as<Target::Difference>() ||
        target.as<Target::Rest>() || target.probability)
      throw Error(ErrorCode::invalid_argument,
                  "a class has a score at each position of " +
                      base::text(explainer_.reads.scores()->shape) +
                      ": explain it over a region (--region, Target::region), or one element of "
                      "the scores (Target::element)");
}

explain::Needs Explaining::needs_of(const explain::Layer& layer) const {
  return api::needs_of(entry_, layer, settings_, explainer_.options, explainer_.input_extents);
}

void Explaining::check_prepared(const explain::Layer& layer) const {
  entry_.check(explainer_.head, layer);
  const auto needs = needs_of(layer);
  bool ready = !needs.inputs || explainer_.keeps_inputs;
  for (const auto& gradient : needs.gradients)
    ready =
        ready && (gradient.of_input ? explainer_.input_layer : layer).gradients.contains(gradient);
  for (const auto& spec : needs.networks)
    ready = ready && (spec.part == Part::windows || explainer_.networks.find(spec) != nullptr);
  if (!ready)
    throw Error(ErrorCode::invalid_argument, "the explainer was not prepared for " +
                                                 entry_.info.title +
                                                 ": name it in PrepareOptions::methods");
}

Explaining::Explaining(Run::Impl& run, const Method& method, const ExplainOptions& options,
                       const CallOptions& call, std::size_t targets)
    : run_(run),
      explainer_(*run.explainer),
      entry_(explain::find(method.name)),
      options_(options),
      normalize_(
          options.normalize.value_or(entry_.info.has_offset ? Normalize::minmax : Normalize::max)),
      call_(call),
      settings_(entry_.info, method) {
  const bool names_layer = !options.layer.empty() || !options.layers.empty();
  if (!entry_.uses_layer() && !(entry_.layer_on_request && names_layer)) {
    layers_.push_back(&explainer_.input_layer);
  } else if (options.layers.empty()) {
    layers_.push_back(&layer_named(explainer_, options.layer));
  } else {
    for (const auto& name : options.layers) layers_.push_back(&layer_named(explainer_, name));
  }
  for (const auto* layer : layers_) check_prepared(*layer);
  if (entry_.background != nullptr) choose_background();
  if (options.smooth && !explainer_.smoothing_pool)
    throw Error(ErrorCode::invalid_argument,
                "the explainer was not prepared for smoothing: see PrepareOptions::smoothing");
  if (options.smooth && explainer_.inputs.empty())
    throw Error(ErrorCode::invalid_argument,
                "the model has no input that could be mirrored and scaled to smooth its maps");
  parts_ = targets * layers_.size() * (options.smooth ? smoothing_variants().size() : 1);
  if (call.progress)
    call_.progress = [this, &report = call.progress](double done) {
      report((static_cast<double>(part_) + done) / static_cast<double>(parts_));
    };
}

void Explaining::choose_background() {
  const auto& shape = explainer_.input_layer.shape;
  if (shape.empty())
    throw Error(ErrorCode::invalid_argument,
                entry_.info.title + " compares images, and the model has no input");
  Tensor images = entry_.background(settings_, {shape.begin() + 1, shape.end()});
  background_ = find_background(explainer_.backgrounds, images);
  if (background_ != nullptr) return;
  if (needs_of(explainer_.input_layer).find(Part::rerun) == nullptr)
    throw Error(ErrorCode::invalid_argument,
                "the explainer was not prepared for this background: name " + entry_.info.title +
                    " with it in PrepareOptions::methods");
  Lease lease(*explainer_.networks.find({.part = Part::rerun})->pool, call_);
  own_background_ = run_background({*explainer_.plan, explainer_.batch, explainer_.row(),
                                    explainer_.budget, run_.inputs, explainer_.image_batch.input},
                                   lease.workspace(), std::move(images), call_);
  background_ = &*own_background_;
}

std::vector<explain::Objective> Explaining::objectives(const Target& target) {
  std::vector<explain::Objective> out;
  for (std::int64_t n = 0; n < explainer_.batch; ++n)
    out.emplace_back(
        target, explainer_.reads,
        [&](std::int64_t rank) {
          return run_.ranking(n)[static_cast<std::size_t>(rank)].class_index;
        },
        run_.probability);
  return out;
}

explain::Context Explaining::context_of(const explain::Layer& layer,
                                        std::span<const explain::Objective> objectives,
                                        engine::Workspace& workspace,
                                        std::span<const float> scores) const {
  return {*explainer_.plan,
          workspace,
          explainer_.head,
          layer,
          explainer_.input_layer,
          explainer_.batch,
          explainer_.reads,
          objectives,
          scores,
          settings_,
          call_,
          explainer_.image_batch.input,
          explainer_.stacked};
}

std::vector<explain::Evidence> Explaining::once(std::span<const explain::Objective> objectives,
                                                const explain::Layer& layer,
                                                engine::Workspace& workspace,
                                                std::span<const float> scores,
                                                std::span<const Tensor> inputs) {
  auto context = context_of(layer, objectives, workspace, scores);
  context.extents = explainer_.input_extents;
  context.inputs = inputs;
  context.biases = explainer_.biases;
  context.backward_ms = &backward_ms_;
  context.background = background_;
  if (joined_) context.joined = &*joined_;
  std::array<std::unique_ptr<Borrowed>, explain::NetworkSpec::kParts> borrowed;
  for (const auto& spec : needs_of(layer).networks) {
    const auto* prepared = explainer_.networks.find(spec);
    if (prepared == nullptr) continue;  // of windows, which the whole network serves as well
    const auto part = static_cast<std::size_t>(spec.part);
    borrowed[part] = std::make_unique<Borrowed>(*prepared, call_);
    context.networks[part] = &borrowed[part]->network();
  }
  base::Size bytes = explain::common_bytes(entry_, context);
  if (entry_.scratch_bytes != nullptr) bytes += entry_.scratch_bytes(context);
  const base::Reservation reservation(explainer_.budget, bytes.n, entry_.info.title);
  auto out = entry_.run(context);
  ++part_;
  if (entry_.relu && !options_.keep_sign)
    for (std::size_t n = 0; n < out.size(); ++n) {
      auto& map = out[n].map.data;
      if (std::any_of(map.begin(), map.end(), [](float v) { return v < 0; })) clipped_[n] = true;
      simd::kernels().relu_max(map.data(), static_cast<std::int64_t>(map.size()));
    }
  return out;
}

std::vector<explain::Evidence> Explaining::evidence(std::span<const explain::Objective> objectives,
                                                    const explain::Layer& layer) {
  if (options_.smooth) return smoothed(objectives, layer);
  return once(objectives, layer, run_.workspace, run_.logits.data, run_.inputs);
}

std::vector<explain::Evidence> Explaining::smoothed(std::span<const explain::Objective> objectives,
                                                    const explain::Layer& layer) {
  Lease lease(*explainer_.smoothing_pool, call_);
  std::vector<explain::Evidence> out;
  for (const auto& variant : smoothing_variants()) {
    auto inputs = run_.inputs;
    apply(variant, inputs[explainer_.image_batch.input], explainer_.input_extents);
    std::vector<std::span<const float>> feeds;
    feeds.reserve(inputs.size());
    for (const auto& input : inputs) feeds.emplace_back(input.data);
    explainer_.plan->forward(lease.workspace(), feeds, call_);
    const auto rows = explain::rows(*explainer_.plan, lease.workspace());
    const std::vector<float> scores(rows.begin(), rows.end());
    auto maps = once(objectives, layer, lease.workspace(), scores, inputs);
    // Each run's map is finished before they are averaged, as pytorch-grad-cam does.
    for (auto& one : maps) {
      one.map = scaled(shown(one.map));
      undo(variant, one.map);
      if (!one.attribution.data.empty()) undo(variant, one.attribution);
    }
    add_share(out, std::move(maps), smoothing_variants().size());
  }
  return out;
}

Tensor Explaining::scaled(const Tensor& map) const {
  if (!options_.keep_sign || normalize_ != Normalize::max) return normalized(map, normalize_);
  float most = 0;
  for (const float v : map.data) most = std::max(most, std::abs(v));
  Tensor out = map;
  if (most > 0 && std::isfinite(most))
    for (auto& v : out.data) v /= most;
  return out;
}

/// The map normalised, at the input's extents.
Tensor Explaining::shown(const Tensor& map) const {
  Tensor out = scaled(map);
  if (explainer_.input_extents.size() == out.shape.size() && explainer_.input_extents != out.shape)
    out = resized(out, explainer_.input_extents);
  return out;
}

/// Several layers' maps into one.
void Explaining::fuse(std::vector<Explanation>& out,
                      std::span<const explain::Objective> objectives) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto maps = evidence(objectives, *layers_[i]);
    for (std::size_t n = 0; n < maps.size(); ++n) {
      const Tensor map = options_.smooth ? maps[n].map : shown(maps[n].map);
      auto& so_far = out[n].feature_map;
      if (i == 0) {
        so_far = map;
      } else if (so_far.shape != map.shape) {
        throw Error(ErrorCode::invalid_argument, "the layers' maps differ in their extents",
                    {"", layers_[i]->name, ""});
      } else {
        for (std::size_t p = 0; p < map.data.size(); ++p)
          so_far.data[p] = combined(options_.fuse, so_far.data[p], map.data[p]);
      }
      out[n].layers.push_back(layers_[i]->name);
    }
  }
  if (options_.fuse != Fuse::mean) return;
  for (auto& one : out)
    for (auto& v : one.feature_map.data) v /= static_cast<float>(layers_.size());
}

void Explaining::join(std::span<const explain::Objective> all) {
  const auto joins = [](const auto& gradient) { return gradient.first.seeds > 1; };
  if (layers_.size() > 1 || options_.smooth || std::ssize(all) <= explainer_.batch) return;
  if (std::none_of(layers_[0]->gradients.begin(), layers_[0]->gradients.end(), joins) &&
      std::none_of(explainer_.input_layer.gradients.begin(), explainer_.input_layer.gradients.end(),
                   joins))
    return;
  const auto context = context_of(*layers_[0], {}, run_.workspace, run_.logits.data);
  joined_reservation_ = {explainer_.budget,
                         explain::joined_gradients_bytes(context, explainer_.joined).n,
                         "walking back from many targets at once"};
  joined_.emplace(all, explainer_.joined);
}

/// Of one image's map, at the layer or as it is shown.
base::Size Explaining::map_floats() const {
  base::Size most = 1;
  for (const auto extent : explainer_.input_extents) most = most * base::Size(extent);
  for (const auto* layer : layers_) {
    base::Size positions = 1;
    for (std::size_t d = layer->is_input ? 1 : 2; d < layer->shape.size(); ++d)
      positions = positions * base::Size(layer->shape[d]);
    if (!layer->is_input || explainer_.input_extents.empty()) most = std::max(most, positions);
  }
  return most;
}

void Explaining::reserve_results(std::span<const Target> targets) {
  using base::Size;
  constexpr Size kFloat = sizeof(float), kNames = 1024, kGrown = 3;
  constexpr Size kObjective = sizeof(explain::Objective), kExplanation = sizeof(Explanation);
  constexpr Size kTransient = 6;  // a map scaled, resized, mirrored, fused
  const Size images = explainer_.batch, row = explainer_.row();
  const Size count = images * std::ssize(targets);
  Size attribution = 0, inputs = 0, weights = 0;
  // As objectives, and as explanations say what they are of.
  for (const auto& target : targets) {
    if (const auto* sum = target.as<Target::Weights>())
      weights += images * std::ssize(sum->factors) * Size(2);
    if (const auto* other = target.as<Target::Similarity>())
      weights += images * std::ssize(other->embedding) * Size(2);
  }
  if (layers_.front()->is_input) {
    attribution = 1;
    for (const auto extent : explainer_.input_layer.shape) attribution = attribution * Size(extent);
    attribution = attribution.n / images.n;
  }
  if (options_.smooth) {
    for (const auto& input : run_.inputs) inputs += std::ssize(input.data);
    inputs += images * (row + attribution + map_floats() * Size(2));
  }
  const Size predictions =
      explainer_.dense_scores ? Size(0) : Size(explainer_.class_count()) * Size(sizeof(Prediction));
  const Size each = (map_floats() * Size(2) + attribution) * kFloat + predictions + kNames +
                    (kObjective + kExplanation) * kGrown;
  const Size transient = images * map_floats() * kTransient + inputs + weights;
  reservation_ = {explainer_.budget, (count * each + transient * kFloat).n,
                  "what the call hands out"};
}

std::vector<Explanation> Explaining::explain(std::span<const Target> targets) {
  check_targets(targets);
  reserve_results(targets);
  const auto images = static_cast<std::size_t>(explainer_.batch);
  std::vector<explain::Objective> all;
  for (const auto& target : targets)
    for (auto& one : objectives(target)) all.push_back(std::move(one));
  join(all);
  std::vector<Explanation> out(all.size());
  for (std::size_t t = 0; t < targets.size(); ++t) {
    if (joined_) joined_->set_target(t);
    auto found = explain_one(targets[t], std::span(all).subspan(t * images, images));
    for (std::size_t n = 0; n < images; ++n) out[n * targets.size() + t] = std::move(found[n]);
  }
  return out;
}

std::vector<Explanation> Explaining::explain_one(const Target& target,
                                                 std::span<const explain::Objective> wanted) {
  std::vector<Explanation> out(wanted.size());
  const auto start = Clock::now();
  backward_ms_ = 0;
  clipped_.assign(wanted.size(), false);
  if (layers_.size() > 1) {
    fuse(out, wanted);
    for (auto& one : out) one.map = scaled(one.feature_map);
  } else {
    auto found = evidence(wanted, *layers_[0]);
    for (std::size_t n = 0; n < out.size(); ++n) {
      out[n].feature_map = std::move(found[n].map);
      out[n].attribution = std::move(found[n].attribution);
      out[n].sum_rule = found[n].sum_rule;
      out[n].map = options_.smooth ? out[n].feature_map : shown(out[n].feature_map);
    }
  }
  const double total = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  const auto row = static_cast<std::size_t>(explainer_.row());
  for (std::size_t n = 0; n < out.size(); ++n) {
    auto& one = out[n];
    const auto image = static_cast<std::int64_t>(n);
    one.method = entry_.info.name;
    one.layer = layers_[0]->name;
    one.score = wanted[n].value(std::span(run_.logits.data).subspan(n * row, row));
    one.target = target;
    one.warnings = run_.warnings;
    if (!explainer_.dense_scores) {
      one.predictions = run_.ranking(image);
      for (const auto& prediction : one.predictions)
        if (prediction.class_index == wanted[n].class_index()) one.prediction = prediction;
    } else if (wanted[n].class_index() >= 0) {
      const auto& shape = explainer_.reads.scores()->shape;
      const auto* rank = target.as<Target::Ranked>();
      const std::string ranked =
          rank == nullptr || rank->rank == 0 ? "best" : "number " + std::to_string(rank->rank + 1);
      one.warnings.push_back("the scores " + base::text(shape) + " lie at positions: the " +
                             ranked + " of all is explained, the one at " +
                             base::text(place_in(shape, wanted[n].class_index())) +
                             "; --region explains a class where you say");
    }
    one.image = image;
    one.normalize = normalize_;
    one.timings_ms = {run_.forward_ms, backward_ms_, total - backward_ms_, base::max_threads(),
                      base::waits_sleep()};
    const auto place = explainer_.dense_scores ? wanted[n].class_index() : -1;
    // Of mirrored runs, others'.
    if (layers_.size() == 1 && !options_.smooth && explainer_.fields)
      one.receptive_field = explainer_.fields->of(*layers_[0], target, place, image);
    const bool bounds = !one.receptive_field.empty() && !needs_of(*layers_[0]).gradients.empty();
    warn_of_map(one, {explainer_, entry_.info, layers_, place, clipped_[n], bounds});
  }
  return out;
}

Tensor Explaining::class_maps(std::int64_t image) {
  const auto& layer = *layers_[0];
  if (layers_.size() > 1 || options_.smooth)
    throw Error(ErrorCode::invalid_argument, "maps of every class are of one layer, not smoothed");
  const auto every = static_cast<std::size_t>(explainer_.class_count());
  {
    using base::Size;
    const auto context = context_of(layer, {}, run_.workspace, run_.logits.data);
    const Size classes = explainer_.class_count(), images = explainer_.batch;
    const Size maps = classes * map_floats() * explain::kFloat * explain::kGrown;
    const Size objectives = classes * images * Size(sizeof(explain::Objective)) * explain::kGrown;
    reservation_ = {explainer_.budget, (maps + objectives + explain::every_class_bytes(context)).n,
                    "the maps of " + std::to_string(every) + " classes"};
  }
  const bool runs_backward = !needs_of(layer).gradients.empty();
  if (entry_.class_maps != nullptr && !runs_backward) {
    const auto best = objectives(Target::top1());
    auto context = context_of(layer, best, run_.workspace, run_.logits.data);
    return entry_.class_maps(context, image);
  }
  Tensor out;
  std::vector<explain::Objective> all;
  clipped_.assign(static_cast<std::size_t>(explainer_.batch), false);
  for (std::int64_t k = 0; k < explainer_.class_count(); ++k)
    for (auto& one : objectives(Target::class_index(k))) all.push_back(std::move(one));
  join(all);
  const auto images = static_cast<std::size_t>(explainer_.batch);
  for (std::size_t k = 0; k < static_cast<std::size_t>(explainer_.class_count()); ++k) {
    if (joined_) joined_->set_target(k);
    const auto maps = evidence(std::span(all).subspan(k * images, images), layer);
    const Tensor& map = maps[static_cast<std::size_t>(image)].map;
    out.data.insert(out.data.end(), map.data.begin(), map.data.end());
    out.shape = map.shape;
  }
  out.shape.insert(out.shape.begin(), explainer_.class_count());
  return out;
}

}  // namespace api

std::vector<Explanation> Run::Impl::explain(const Method& method, std::span<const Target> targets,
                                            const ExplainOptions& options,
                                            const CallOptions& call) {
  require_row();
  const auto scope = team();
  return api::Explaining(*this, method, options, call, targets.size()).explain(targets);
}

Tensor Run::Impl::class_maps(const Method& method, std::int64_t image,
                             const ExplainOptions& options, const CallOptions& call) {
  require_row();
  check_image(image);
  const auto scope = team();
  const auto targets = static_cast<std::size_t>(explainer->class_count());
  return api::Explaining(*this, method, options, call, targets).class_maps(image);
}

}  // namespace fovea
