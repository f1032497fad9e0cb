#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "api/fixed_inputs.hpp"
#include "api/ranking.hpp"
#include "api/run_impl.hpp"
#include "base/checked.hpp"
#include "base/fork.hpp"
#include "base/size.hpp"
#include "base/text.hpp"
#include "simd/kernels.hpp"

namespace fovea {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// The data for each of the plan's feeds, checked.
std::vector<std::span<const float>> matched(const Explainer::Impl& explainer, const Feeds& feeds) {
  const auto& inputs = explainer.inputs;
  const bool unnamed = feeds.size() == 1 && feeds.begin()->first.empty();
  if (unnamed && inputs.size() != 1)
    throw Error(ErrorCode::invalid_argument,
                "the model has " + std::to_string(inputs.size()) +
                    " inputs, so each tensor must be given by its input's name");
  for (const auto& [name, tensor] : feeds) {
    // A tensor for an input that the scores do not need is taken, and not looked at.
    const auto known = [&name = name](const ValueInfo& input) { return input.name == name; };
    const auto& all = explainer.model.inputs();
    if (!unnamed && std::none_of(all.begin(), all.end(), known))
      throw Error(ErrorCode::invalid_argument, "the model has no input of this name",
                  {"", name, ""});
    const auto& fixed = explainer.options.compile.fixed_inputs;
    if (const auto it = fixed.find(name); it != fixed.end())
      api::require_same(name, it->second, tensor);
  }
  std::vector<std::span<const float>> out;
  for (const auto& input : inputs) {
    const auto it = feeds.find(unnamed ? std::string() : input.name);
    if (it == feeds.end())
      throw Error(ErrorCode::invalid_argument, "no tensor was given for this input",
                  {"", input.name, ""});
    const TensorView& tensor = it->second;
    if (tensor.shape != input.shape)
      throw Error(ErrorCode::bad_input,
                  "the tensor has extents " + base::text(tensor.shape) + ", the input wants " +
                      base::text(input.shape),
                  {"", input.name, ""});
    if (static_cast<std::int64_t>(tensor.data.size()) !=
        base::element_count(tensor.shape, ErrorCode::bad_input))
      throw Error(ErrorCode::bad_input, "the tensor's data does not fill its extents",
                  {"", input.name, ""});
    out.push_back(tensor.data);
  }
  return out;
}

/// A call: the standard library's failure to allocate is fovea's.
template <class Work>
auto with_memory(Work&& work) {
  const base::CallUnderWay under_way;
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "not enough memory for the call");
  }
}

}  // namespace

std::unique_ptr<Run::Impl> Run::Impl::forward(std::shared_ptr<const Explainer::Impl> explainer,
                                              const Feeds& feeds, const CallOptions& call) {
  return with_memory([&] { return run_forward(std::move(explainer), feeds, call); });
}

std::unique_ptr<Run::Impl> Run::Impl::run_forward(std::shared_ptr<const Explainer::Impl> explainer,
                                                  const Feeds& feeds, const CallOptions& call) {
  auto data = matched(*explainer, feeds);
  api::Selections found;
  if (explainer->stages) explainer = api::selected(*explainer, data, found, call);
  auto run = std::make_unique<Impl>(explainer, call);
  const auto own = std::exchange(explainer, run->explainer);
  base::Size floats = base::Size(explainer->batch) * explainer->row();
  if (explainer->keeps_inputs)
    for (const auto& one : data) floats += std::ssize(one);
  run->reservation = {explainer->budget, (floats * base::Size(sizeof(float))).n, "a run's result"};
  const auto scope = run->team();
  const auto start = Clock::now();
  for (const auto i : explainer->plan->forward(run->workspace, data, call))
    run->warnings.push_back("the input '" + explainer->inputs[i].name +
                            "' holds values that are not finite");
  run->forward_ms = milliseconds(start);
  api::tell_threads(*own, *explainer, call, run->forward_ms);
  if (base::fork_state() == base::Fork::alone)
    run->warnings.emplace_back(
        "this process was forked from one whose OpenMP threads it does not have: it runs on one "
        "thread; spawned, or forked before the first call, it has its own");
  if (!explainer->no_row.empty()) {
    run->logits.shape = {1, 0};
    run->predictions.resize(1);
    run->warnings.push_back("nothing was selected: '" + explainer->no_row + "' has no row");
    return run;
  }
  const auto rows = explain::rows(*explainer->plan, run->workspace);
  run->logits.shape = {explainer->batch, explainer->row()};
  run->logits.data.assign(rows.begin(), rows.end());
  run->describe_scores();
  run->predictions.resize(static_cast<std::size_t>(explainer->batch));
  if (explainer->keeps_inputs)
    for (std::size_t i = 0; i < data.size(); ++i)
      run->inputs.push_back({i == explainer->image_batch.input ? explainer->input_layer.shape
                                                               : explainer->inputs[i].shape,
                             {data[i].begin(), data[i].end()}});
  return run;
}

Run::Run(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;
Run::~Run() = default;

const Tensor& Run::logits() const {
  return impl_->logits;
}

const std::vector<std::string>& Run::warnings() const {
  return impl_->warnings;
}

const std::vector<Prediction>& Run::predictions(std::int64_t image) {
  return with_memory([&]() -> std::reference_wrapper<const std::vector<Prediction>> {
    static const std::vector<Prediction> kNone;
    impl_->check_image(image);
    if (impl_->explainer->dense_scores) return kNone;
    return impl_->ranking(image);
  });
}

void Run::Impl::check_image(std::int64_t image) const {
  if (image < 0 || image >= explainer->batch)
    throw Error(ErrorCode::invalid_argument,
                "there is no image " + std::to_string(image) + " in this batch");
}

std::span<const float> Run::Impl::scores_of(std::int64_t image) const {
  const auto* scores = explainer->reads.scores();
  if (scores == nullptr) return {};
  return std::span(logits.data)
      .subspan(static_cast<std::size_t>(image * explainer->row()) + scores->begin, scores->size);
}

void Run::Impl::describe_scores() {
  const auto* read = explainer->reads.scores();
  if (read == nullptr) return;
  const auto& scores = explainer->scores;
  const bool found = scores.softmax || scores.sigmoid;
  const auto each = [&](auto holds) {
    for (std::int64_t n = 0; n < explainer->batch; ++n)
      if (!holds(scores_of(n))) return false;
    return true;
  };
  const bool add_up =
      !scores.softmax && each([&](auto own) { return api::are_probabilities(own, read->shape); });
  if (scores.of_probabilities && !found)
    probability =
        each(api::may_be_probabilities) ? explain::Probability::given : explain::Probability::none;
  else if (scores.sigmoid || explainer->options.compile.multi_label)
    probability = explain::Probability::sigmoid;
  else if (add_up)
    probability = explain::Probability::given;
  else if (explainer->has_several_softmaxes())
    probability = explain::Probability::none;
  if (probability == explain::Probability::none && scores.softmax && !explainer->dense_scores)
    warnings.push_back("the scores are those of several positions, each with a softmax over " +
                       std::to_string(scores.classes) +
                       " classes, in one row: no probability is told of them");
  if (probability == explain::Probability::given && add_up)
    warnings.emplace_back(
        "the scores lie between 0 and 1 and add up to 1, and no logits were found before them: "
        "they are taken as the probabilities that they are");
  else if (scores.of_probabilities)
    warnings.emplace_back(found ? "the logits are made of values of a softmax or sigmoid"
                                : "the scores are made of values of a softmax or sigmoid: they are "
                                  "explained as they are, and not the logits before it");
  if (scores.factor != 1)
    warnings.push_back("the output is the model's probabilities times " +
                       std::to_string(scores.factor) + ": the logits before them are explained");
}

const std::vector<Prediction>& Run::Impl::ranking(std::int64_t image) {
  check_image(image);
  auto& cached = predictions[static_cast<std::size_t>(image)];
  if (const auto* scores = explainer->reads.scores(); cached.empty() && scores != nullptr) {
    const auto bytes = (base::Size(explainer->class_count()) * base::Size(sizeof(Prediction))).n;
    const base::Reservation sorting(explainer->budget, bytes, "sorting the classes");
    reservation.add(bytes, "the classes in order");
    cached = api::ranked(scores_of(image), api::probabilities(scores_of(image), probability));
  }
  return cached;
}

Tensor Run::output(const std::string& name) const {
  const auto& names = impl_->explainer->fetch_names;
  const auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end())
    throw Error(ErrorCode::invalid_argument,
                "this value is not fetched: name it in CompileOptions::fetches", {"", name, ""});
  const auto view =
      impl_->explainer->plan->fetch(impl_->workspace, static_cast<std::size_t>(it - names.begin()));
  const base::Reservation copy(
      impl_->explainer->budget,
      base::element_count(view.shape) * static_cast<std::int64_t>(sizeof(float)),
      "an output's values");
  return {view.shape, std::vector<float>(view.data, view.data + base::element_count(view.shape))};
}

std::vector<Explanation> Run::explain(const Method& method, std::span<const Target> targets,
                                      const ExplainOptions& options, const CallOptions& call) {
  return with_memory([&] { return impl_->explain(method, targets, options, call); });
}

Tensor Run::class_maps(const Method& method, std::int64_t image, const ExplainOptions& options,
                       const CallOptions& call) {
  return with_memory([&] { return impl_->class_maps(method, image, options, call); });
}

Tensor Run::features(const std::string& layer) const {
  return with_memory([&] { return std::as_const(*impl_).features(layer); });
}

std::vector<Channels> Run::channels(const Target& target, const std::string& layer,
                                    const CallOptions& call) {
  return with_memory([&] { return impl_->channels(target, layer, call); });
}

Explanation Run::explain(const Method& method, const Target& target, const ExplainOptions& options,
                         const CallOptions& call) {
  return std::move(explain(method, std::span(&target, 1), options, call).front());
}

}  // namespace fovea
