#include "api/explainer_maker.hpp"

#include <algorithm>
#include <new>
#include <set>
#include <utility>

#include "api/backgrounds.hpp"
#include "api/check_options.hpp"
#include "api/explaining.hpp"
#include "api/fixed_inputs.hpp"
#include "api/joined_gradients.hpp"
#include "api/layers.hpp"
#include "api/other_batch.hpp"
#include "api/partial.hpp"
#include "api/precision.hpp"
#include "api/target_values.hpp"
#include "api/tuning.hpp"
#include "base/checked.hpp"
#include "base/fork.hpp"
#include "base/limits.hpp"
#include "graph/infer.hpp"

namespace fovea {
namespace {

using Part = explain::NetworkSpec::Part;
constexpr explain::NetworkSpec kRerun{.part = Part::rerun};

class ExplainerMaker {
 public:
  /// `bytes`: the budget, where it is another explainer's; nothing is timed then. `selections`:
  /// what the model selected, where that decides extents; `selects`: it selects behind what is
  /// wanted.
  ExplainerMaker(const Model& model, ExplainerOptions options, const CallOptions& call,
                 const std::shared_ptr<base::Budget>& bytes = nullptr,
                 const std::optional<api::Selections>& selections = {}, bool selects = false)
      : limits_(call),
        measures_(bytes == nullptr),
        impl_(std::make_shared<Explainer::Impl>(model, std::move(options), bytes)),
        partial_(Access::impl(model).imported),
        selects_(selects) {
    impl_->selections = selections;
  }

  std::shared_ptr<const Explainer::Impl> make() {
    const auto team = impl_->team(impl_->options.pool.threads);
    take_source();
    bind();
    if (impl_->selections && has_no_row()) return impl_;
    describe();
    build_plan();
    return impl_;
  }

  /// Without a plan: of `guess`, behind which nothing is known before a call.
  std::shared_ptr<const Explainer::Impl> outline(const api::Guess& guess,
                                                 std::shared_ptr<api::Stages> stages) {
    const auto team = impl_->team(impl_->options.pool.threads);
    known_ = &guess.shapes;
    take_source();
    bind();
    describe();
    engine::PlanSpec spec;
    spell(spec);
    impl_->shapes = guess.shapes;
    api::keep_model_inputs(impl_->model, impl_->inputs);
    impl_->selections.reset();
    impl_->stages = std::move(stages);
    return impl_;
  }

 private:
  void take_source() {
    source_ = api::source_of(impl_->model, impl_->options.compile, limits_);
    if (impl_->selections) impl_->selections->apply(source_);
    if (selects_) api::keep_targets(source_, impl_->options);
    graph_ = source_;
  }

  /// Everything but plans.
  void describe() {
    const auto& options = impl_->options;
    impl_->made_for = base::max_threads();
    Access::impl(impl_->model).choices->add(std::as_bytes(std::span(options.compile.plan_cache)));
    impl_->shapes = api::shapes_of(graph_);
    choose_targets();
    name_inputs();
    impl_->head = graph::find_pool_linear_head(graph_, impl_->target);
    if (impl_->head && impl_->head->classes != impl_->row()) impl_->head.reset();
    limits_.check();
    describe_layers();
  }

  void name_inputs() {
    impl_->feeds = graph_.inputs;
    impl_->inputs = api::inputs_of(graph_, impl_->model.inputs());
    if (impl_->selections) api::add_inputs(*impl_->selections, graph_, impl_->inputs);
  }

  /// Nothing was selected that the targets read: what there is can be fetched, and is not
  /// explained.
  bool has_no_row() {
    impl_->no_row = api::empty_target(graph_, impl_->options);
    if (impl_->no_row.empty()) return false;
    impl_->made_for = base::max_threads();
    impl_->shapes = api::shapes_of(graph_);
    name_inputs();
    engine::PlanSpec spec;
    spec.feeds = impl_->feeds;
    spec.optimize = impl_->options.compile.optimize;
    spec.memory_limit = impl_->options.pool.memory_limit;
    spec.limits = limits_;
    for (const auto& name : impl_->options.compile.fetches) fetch(spec, name);
    impl_->plan = engine::Plan::build(graph_, spec, *Access::impl(impl_->model).weights);
    impl_->pool = std::make_unique<api::WorkspacePool>(
        *impl_->plan, impl_->options.pool.max_workspaces, impl_->budget);
    return true;
  }

  void bind() {
    api::check_options(impl_->options);
    const auto& compile = impl_->options.compile;
    partial_.bind(source_, graph_, api::shapes_to_bind(impl_->model.inputs(), compile),
                  compile.batch, limits_);
    api::check_joints(Access::impl(impl_->model).joints, graph_);
    engine::fold_constants(graph_, limits_);
    bound_values_ = source_.values().size();
  }

  /// Once more, where nodes were appended to the source.
  void bind_appended() {
    if (source_.values().size() == bound_values_) return;
    graph_ = source_;
    bind();
  }

  void choose_targets() {
    const auto names = api::value_names(impl_->options.prepare);
    for (const auto& name : names) partial_.require(graph_, name);
    if (api::reads_scores(names)) {
      impl_->scores = partial_.find_scores(graph_, impl_->options.compile.output);
      graph::lay_out_logits(source_, impl_->scores);
      bind_appended();
    }
    const auto read = api::choose_target_values(source_, graph_, names, impl_->scores);
    bind_appended();
    impl_->target = read.row;
    drop_unneeded_inputs();
    find_image_batch();
    impl_->reads = api::reads_of(read, graph_, impl_->image_batch);
    impl_->target_values = api::described(impl_->reads, read, impl_->image_batch);
    impl_->fields = api::receptive_fields(graph_, read, impl_->target_values);
    if (known_ != nullptr)
      api::open_extents(*impl_->selections, graph_, read, impl_->target_values);
    impl_->dense_scores =
        impl_->scores.logits && is_dense(graph_.value(impl_->scores.logits).shape);
  }

  void drop_unneeded_inputs() {
    std::vector<graph::ValueId> wanted{impl_->target, impl_->scores.output};
    for (const auto* names : {&impl_->options.compile.fetches, &impl_->options.prepare.layers})
      for (const auto& name : *names) wanted.push_back(graph::find_layer(graph_, name));
    api::drop_unneeded_inputs(source_, graph_, wanted);
  }

  /// Scores at positions: nothing to rank.
  bool is_dense(const Shape& scores) const {
    const auto count = impl_->class_count();
    return scores.size() > 2 && count != scores[1] && count != scores.back();
  }

  void find_image_batch() {
    impl_->image_batch = impl_->selections
                             ? api::image_of_selections(graph_, impl_->target, *impl_->selections)
                             : graph::find_image_batch(graph_, impl_->target);
    impl_->stacked = api::stacked_inputs(graph_, impl_->image_batch);
    impl_->batch = impl_->image_batch.count;
    if (graph_.inputs.empty()) return;
    auto& input = impl_->input_layer;
    input.value = graph_.inputs[impl_->image_batch.input];
    input.name = graph_.value(input.value).name;
    input.shape = graph_.value(input.value).shape;
    input.is_single = !impl_->stacked[impl_->image_batch.input];
    if (input.is_single) input.shape.insert(input.shape.begin(), 1);
    impl_->input_extents = api::spatial_extents(input.shape);
  }

  void describe_layers() {
    forms_ = std::make_unique<const graph::MapForms>(graph_, impl_->target, api::tokens_of(*impl_));
    api::describe_layers(*impl_, graph_, *forms_);
    if (known_ != nullptr) api::keep_known_layers(*known_, graph_, *impl_);
  }

  explain::Layer resolve(const std::string& name) const {
    partial_.require(graph_, name);
    return api::resolve_layer(*impl_, graph_, *forms_, name);
  }

  /// What is wanted of the plan: the targets first.
  void spell(engine::PlanSpec& spec) {
    const auto& options = impl_->options;
    fetch(spec, graph_.value(impl_->target).name);
    if (impl_->scores.output) fetch(spec, graph_.value(impl_->scores.output).name);
    for (const auto& name : options.compile.fetches) fetch(spec, name);
    prepare_layers(spec);
  }

  void build_plan() {
    const auto& options = impl_->options;
    engine::PlanSpec spec;
    spec.feeds = impl_->feeds;
    spec.tuning = options.compile.tuning;
    spec.choices = Access::impl(impl_->model).choices.get();
    auto tuning_time = api::tuning_time(options.compile);
    spec.tuning_time = &tuning_time;
    spec.measures = measures_;
    spec.optimize = options.compile.optimize;
    spec.memory_limit = options.pool.memory_limit;
    spec.limits = limits_;
    spell(spec);
    make_plan(spec);
    impl_->precision = spec.precision;
    const auto pool_of_plan = [&] {
      return std::make_unique<api::WorkspacePool>(*impl_->plan, options.pool.max_workspaces,
                                                  impl_->budget);
    };
    impl_->pool = pool_of_plan();
    if (options.prepare.smoothing) impl_->smoothing_pool = pool_of_plan();
    impl_->keeps_inputs = impl_->keeps_inputs || options.prepare.smoothing;
    const api::NetworkSource source{source_,
                                    graph_,
                                    impl_->image_batch,
                                    impl_->target,
                                    impl_->input_extents,
                                    options,
                                    spec,
                                    impl_->plan,
                                    *Access::impl(impl_->model).weights,
                                    impl_->budget};
    if (rerun()) impl_->networks.add(kRerun, api::rerun_network(source));
    prepare_backgrounds();
    spec.memory_limit = left_beside_a_run();
    prepare_networks(source);
    impl_->warnings = api::tuning_warnings(options.compile, tuning_time);
  }

  bool rerun() const { return networks_.contains(kRerun); }

  /// With backward passes of many targets where there is room for them.
  void make_plan(engine::PlanSpec& spec) {
    const auto& options = impl_->options;
    auto& weights = *Access::impl(impl_->model).weights;
    const auto build = [&] { return api::build_plan(options, graph_, spec, weights); };
    const auto one_by_one = spec.gradients.size();
    api::join_gradients(*impl_, graph_, spec);
    if (spec.gradients.size() > one_by_one) {
      try {
        impl_->plan = build();
        // Calls want their room, too.
        if (needed_for_a_run().n <= options.pool.memory_limit / 2) return;
      } catch (const Error& error) {
        if (error.code() != ErrorCode::out_of_memory) throw;
      }
      api::drop_joined_gradients(*impl_);
      spec.gradients.resize(one_by_one);
    }
    impl_->plan = build();
  }

  void prepare_networks(const api::NetworkSource& source) {
    bool windows_alone = true;
    for (const auto& spec : networks_) {
      if (spec.part == Part::rerun || spec.part == Part::full) continue;
      auto network = api::make_network(source, spec);
      if (network)
        impl_->networks.add(spec, std::move(*network));
      else
        windows_alone = false;
    }
    const explain::NetworkSpec full{.part = Part::full};
    if (!networks_.contains(full)) return;
    // For windows that nobody prepared for: as it is, so as not to hold a network more.
    impl_->networks.add(full, perturbs_full_ || !windows_alone ? *api::make_network(source, full)
                                                               : api::rerun_network(source));
  }

  /// Its workspace, and those that methods run the same plan in beside it.
  base::Size needed_for_a_run() const {
    const std::int64_t others = (rerun() ? 1 : 0) + (impl_->options.prepare.smoothing ? 1 : 0);
    return base::Size(impl_->plan->workspace_bytes()) * base::Size(others + 1);
  }

  /// What is left for a plan that works while a run of the main one, and what belongs to it, are
  /// held. Throws Error out_of_memory where there is nothing.
  std::int64_t left_beside_a_run() const {
    const base::Size each = impl_->plan->workspace_bytes();
    base::Size needed = needed_for_a_run();
    for (const auto& background : impl_->backgrounds) needed += background.reservation.bytes();
    const auto left = impl_->options.pool.memory_limit - needed.n;
    if (left < 0) api::refuse_run(needed.n, impl_->options.pool.memory_limit);
    return left + (rerun() ? each.n : 0);
  }

  /// Runs the images that methods compare with, once for all explanations.
  void prepare_backgrounds() {
    const auto& input = impl_->input_layer;
    for (const auto& method : impl_->options.prepare.methods) {
      const auto& entry = explain::find(method.name);
      if (entry.background == nullptr || input.shape.empty()) continue;
      const bool alone = impl_->inputs.size() == 1;
      const bool later = needs_of(entry, input, method).find(Part::rerun) != nullptr;
      if (!alone && !later) api::refuse_to_compare(entry, impl_->inputs.size());
      Tensor images = entry.background(explain::Settings(entry.info, method),
                                       {input.shape.begin() + 1, input.shape.end()});
      if (!alone || api::find_background(impl_->backgrounds, images) != nullptr) continue;
      api::Lease lease(*impl_->pool, {});
      impl_->backgrounds.push_back(api::run_background(
          {*impl_->plan, impl_->batch, impl_->row(), impl_->budget, {}, impl_->image_batch.input},
          lease.workspace(), std::move(images), engine::within(limits_)));
    }
  }

  /// Maps and gradients of every layer, and what else the methods need.
  void prepare_layers(engine::PlanSpec& spec) {
    const auto& options = impl_->options;
    std::vector<std::string> names = options.prepare.layers;
    const bool wants_layer =
        std::any_of(options.prepare.methods.begin(), options.prepare.methods.end(),
                    [](const Method& method) { return explain::find(method.name).uses_layer(); });
    const bool named = !names.empty();
    if (!named && wants_layer && !impl_->default_layer.empty())
      names.push_back(impl_->default_layer);
    const bool adds_features = !named && options.prepare.features &&
                               !impl_->feature_layer.empty() &&
                               impl_->feature_layer != impl_->default_layer;
    if (adds_features) names.push_back(impl_->feature_layer);
    prepare_input(spec);
    for (const auto& name : names) {
      limits_.check();
      explain::Layer layer = resolve(name);
      layer.map = spec.maps.size();
      spec.maps.push_back(layer.value);
      if (layer.grid) spec.grids[layer.value] = *layer.grid;
      for (const auto& method : options.prepare.methods) {
        if (adds_features && &name == &names.back() && method.name != GradCam::name) continue;
        const auto& entry = explain::find(method.name);
        if (!entry.uses_layer() && !(entry.layer_on_request && named)) continue;
        entry.check(impl_->head, layer);
        const auto needs = needs_of(entry, layer, method);
        if (!layer.unseen.empty() && asks_the_layer(needs))
          throw Error(ErrorCode::invalid_argument, layer.unseen, {"", layer.name, ""});
        add_gradients(spec, layer, needs, false);
        note(needs, false);
      }
      impl_->prepared.push_back(std::move(layer));
    }
  }

  /// Does a method want to know what the scores make of the layer?
  static bool asks_the_layer(const explain::Needs& needs) {
    return needs.find(Part::tail) != nullptr ||
           std::any_of(needs.gradients.begin(), needs.gradients.end(),
                       [](const auto& gradient) { return !gradient.of_input; });
  }

  void prepare_input(engine::PlanSpec& spec) {
    auto& input = impl_->input_layer;
    input.is_input = true;
    for (const auto& method : impl_->options.prepare.methods) {
      const auto& entry = explain::find(method.name);
      if (!entry.uses_layer()) entry.check(impl_->head, input);
      const auto needs = needs_of(entry, input, method);
      add_gradients(spec, input, needs, true);
      note(needs, true);
    }
  }

  /// Backward passes to `layer`, of those that `needs` names for the input (or for a layer).
  void add_gradients(engine::PlanSpec& spec, explain::Layer& layer, const explain::Needs& needs,
                     bool of_input) {
    for (const auto& gradient : needs.gradients) {
      if (gradient.of_input != of_input || layer.gradients.contains(gradient)) continue;
      if (of_input && (!layer.value || !graph::reaches(graph_, layer.value, impl_->target)))
        throw Error(ErrorCode::invalid_argument, "the scores do not depend on this input",
                    {"", layer.name, ""});
      layer.gradients[gradient] = spec.gradients.size();
      auto& added = spec.gradients.emplace_back(
          engine::GradientSpec{impl_->target, layer.value, gradient.reduce, gradient.rule, {}});
      added.images = impl_->batch;
      added.canonical = gradient.rule == engine::GradientRule::rescale;
      added.relevance = gradient.relevance;
      if (!gradient.biases) continue;
      impl_->biases = graph::find_channel_biases(graph_, layer.value, impl_->target);
      for (const auto& bias : impl_->biases) added.taps.push_back(bias.value);
    }
  }

  explain::Needs needs_of(const explain::Entry& entry, const explain::Layer& layer,
                          const Method& method) const {
    return api::needs_of(entry, layer, explain::Settings(entry.info, method), impl_->options,
                         impl_->input_extents);
  }

  void note(const explain::Needs& needs, bool of_input) {
    impl_->keeps_inputs = impl_->keeps_inputs || needs.inputs;
    perturbs_full_ = perturbs_full_ ||
                     (needs.find(Part::full) != nullptr && needs.find(Part::windows) == nullptr);
    for (const auto& spec : needs.networks) {
      if (spec.part == Part::tail && of_input) continue;
      networks_.insert(spec);
      impl_->keeps_inputs = true;
    }
  }

  void fetch(engine::PlanSpec& spec, const std::string& name) {
    partial_.require(graph_, name);
    const graph::ValueId id = graph_.find_value(name);
    if (!id)
      throw Error(ErrorCode::invalid_argument, "the model has no value of this name to fetch",
                  {"", name, ""});
    const auto [place, is_new] = fetched_.insert(id);
    if (!is_new) return;
    spec.fetches.push_back(*place);
    impl_->fetch_names.push_back(name);
  }

  base::Limits limits_;
  bool measures_;
  std::shared_ptr<Explainer::Impl> impl_;
  api::Partial partial_;
  bool selects_;
  graph::Graph source_;  ///< as imported, and what lays out the scores and the values of targets
  graph::Graph graph_;   ///< that, bound
  std::size_t bound_values_ = 0;                         ///< of the source, when it was
  const std::map<std::string, Shape>* known_ = nullptr;  ///< null: everything is
  std::set<explain::NetworkSpec> networks_;              ///< that methods run
  bool perturbs_full_ = false;  ///< variants of any part of an image are scored, not windows alone
  std::set<graph::ValueId> fetched_;
  std::unique_ptr<const graph::MapForms> forms_;  ///< once the graph is bound
};

}  // namespace

namespace api {
namespace {

template <class Make>
std::shared_ptr<const Explainer::Impl> with_memory(Make&& make) {
  const base::CallUnderWay under_way;
  try {
    return make();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "not enough memory to make the explainer");
  }
}

}  // namespace

std::shared_ptr<const Explainer::Impl> make_explainer(const Model& model, ExplainerOptions options,
                                                      const CallOptions& call) {
  check_threads(options.pool.threads);
  return with_memory([&] {
    check_options(options);
    bool selects = false;
    const auto guess = guess_selections(model, options, base::Limits(call), selects);
    if (!guess) return ExplainerMaker(model, std::move(options), call, nullptr, {}, selects).make();
    ExplainerMaker maker(model, options, call, nullptr, guess->selections);
    return maker.outline(*guess, std::make_shared<Stages>(model, options, guess->selections.open));
  });
}

std::shared_ptr<const Explainer::Impl> make_selected(const Explainer::Impl& outline,
                                                     const Selections& selections,
                                                     const CallOptions& call) {
  auto options = outline.options;
  options.compile.plan_cache.clear();  // the model has it
  options.prepare.layers.clear();
  for (const auto& layer : outline.prepared) options.prepare.layers.push_back(layer.name);
  return with_memory([&] {
    return ExplainerMaker(outline.model, std::move(options), call, outline.bytes, selections)
        .make();
  });
}

std::shared_ptr<const Explainer::Impl> make_variant(const Explainer::Impl& like, int threads,
                                                    const CallOptions& call) {
  auto options = like.options;
  options.pool.threads = threads;
  options.compile.plan_cache.clear();  // the model has it
  options.compile.precision = like.precision;
  return with_memory([&] {
    return ExplainerMaker(like.model, std::move(options), call, like.bytes, like.selections).make();
  });
}

}  // namespace api
}  // namespace fovea
