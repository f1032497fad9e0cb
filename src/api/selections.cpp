#include "api/selections.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "api/explainer_impl.hpp"
#include "api/explainer_maker.hpp"
#include "api/explaining.hpp"
#include "api/fixed_inputs.hpp"
#include "api/partial.hpp"
#include "api/target_values.hpp"
#include "base/checked.hpp"
#include "engine/path.hpp"
#include "graph/infer.hpp"
#include "graph/repeat.hpp"

namespace fovea::api {
namespace {

std::size_t at(graph::ValueId id) {
  return static_cast<std::size_t>(id.index);
}

graph::Constant constant_of(const KnownValue& value) {
  if (value.type == graph::DType::f32) return graph::Constant::of_floats(value.shape, value.data);
  graph::Ints ints;
  for (const float v : value.data) ints.push_back(std::llround(v));
  return graph::Constant::of_ints(value.shape, std::move(ints), value.type);
}

/// Of integers.
KnownValue known_value(const graph::Constant& constant) {
  KnownValue out{constant.type, constant.shape, {}};
  for (const auto v : constant.ints) out.data.push_back(static_cast<float>(v));
  return out;
}

}  // namespace

graph::Graph source_of(const Model& model, const CompileOptions& options,
                       const base::Limits& limits) {
  auto out = Access::impl(model).imported.graph;
  fix_inputs(out, model.inputs(), options.fixed_inputs);
  graph::unroll(out, shapes_to_bind(model.inputs(), options), options.batch, limits,
                engine::compute_node);
  return out;
}

BoundSelections bind_selections(const Model& model, const Selections& found,
                                const std::map<std::string, KnownValue>& known,
                                const std::map<std::string, Shape>& shapes,
                                const CompileOptions& compile, const base::Limits& limits) {
  BoundSelections out{source_of(model, compile, limits), {}, {}};
  for (const auto& [name, value] : known)
    graph::feed(out.source, out.source.find_value(name), value.type, value.shape);
  found.apply(out.source);
  out.graph = out.source;
  graph::bind_what_can_be(out.graph, shapes, compile.batch, limits, engine::compute_node,
                          &out.open);
  return out;
}

std::string Selections::key() const {
  std::string out;
  for (const auto& [name, value] : results) {
    out += name + ":";
    for (const auto extent : value.shape) out += std::to_string(extent) + ",";
    out += ";";
  }
  for (const auto& [name, value] : parameters) out += name + "=" + std::to_string(value) + ";";
  return out;
}

void keep_targets(graph::Graph& imported, const ExplainerOptions& options) {
  const auto names = options.prepare.target_values;
  for (const auto& name : names)
    if (const auto id = graph::find_layer(imported, name); id && !name.empty())
      if (std::find(imported.outputs.begin(), imported.outputs.end(), id) == imported.outputs.end())
        imported.outputs.push_back(id);
}

void Selections::apply(graph::Graph& imported) const {
  for (const auto& [name, value] : parameters)
    graph::set_known(imported, imported.find_value(name), graph::Constant::of_ints({1}, {value}));
  for (const auto& [name, value] : results)
    graph::feed(imported, imported.find_value(name), value.type, value.shape);
}

void add_inputs(const Selections& selections, const graph::Graph& bound,
                std::vector<ValueInfo>& inputs) {
  for (const auto id : bound.inputs) {
    const auto& value = bound.value(id);
    if (!selections.results.contains(value.name)) continue;
    ValueInfo info;
    info.name = value.name;
    info.type = DataType::i64;
    info.shape = value.shape;
    inputs.push_back(std::move(info));
  }
}

void keep_model_inputs(const Model& model, std::vector<ValueInfo>& inputs) {
  std::erase_if(inputs, [&](const ValueInfo& input) {
    return std::none_of(model.inputs().begin(), model.inputs().end(),
                        [&](const ValueInfo& own) { return own.name == input.name; });
  });
}

namespace {

/// Per value on the way: is there no way round it?
std::vector<bool> passed_by_all(const graph::Graph& graph, const std::vector<bool>& way,
                                graph::ValueId from) {
  std::vector<std::int32_t> last_use(way.size(), -1);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const auto& node = graph.nodes()[n];
    const bool leads = std::any_of(node.outputs.begin(), node.outputs.end(),
                                   [&](graph::ValueId id) { return way[at(id)]; });
    for (const auto id : node.inputs)
      if (leads && id) last_use[at(id)] = static_cast<std::int32_t>(n);
  }
  std::vector<bool> out(way.size(), false);
  auto open = last_use[at(from)];
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const bool alone = open <= static_cast<std::int32_t>(n);
    for (const auto id : graph.nodes()[n].outputs)
      if (way[at(id)]) {
        out[at(id)] = alone;
        open = std::max(open, last_use[at(id)]);
      }
  }
  return out;
}

}  // namespace

void keep_known_layers(const std::map<std::string, Shape>& known, const graph::Graph& guessed,
                       Explainer::Impl& outline) {
  const auto image = outline.input_layer.value;
  const auto way = engine::values_between(guessed, image, outline.target);
  const auto id_of = [&](const LayerInfo& layer) { return at(guessed.find_value(layer.name)); };
  std::erase_if(outline.layers, [&](const LayerInfo& layer) {
    const auto own = known.find(layer.name);
    return own == known.end() || own->second != layer.shape || !way[id_of(layer)];
  });
  const auto is_kept = [&](const std::string& name) {
    return std::any_of(outline.layers.begin(), outline.layers.end(),
                       [&](const LayerInfo& layer) { return layer.name == name; });
  };
  if (!is_kept(outline.feature_layer)) outline.feature_layer.clear();
  const auto all = passed_by_all(guessed, way, image);
  // What has positions and channels in one extent each lays maps of several levels together.
  const auto suits = [&](const LayerInfo& layer) {
    return all[id_of(layer)] && layer.shape.size() > 3;
  };
  for (auto& layer : outline.layers) {
    if (layer.is_default && suits(layer)) return;
    layer.is_default = false;
    layer.why.clear();
  }
  outline.default_layer.clear();
  outline.default_why = "what feeds the scores lies behind what the model selects by its data";
  const auto last = std::find_if(outline.layers.rbegin(), outline.layers.rend(), suits);
  if (last == outline.layers.rend()) return;
  last->is_default = true;
  last->why = outline.default_why = "the last map that every row that is selected is made of";
  outline.default_layer = last->name;
}

graph::ImageBatch image_of_selections(const graph::Graph& bound, graph::ValueId target,
                                      const Selections& selections) {
  auto out = graph::one_image(bound, target);
  for (const auto& [name, shape] : *selections.open) {
    const auto id = bound.find_value(name);
    if (!id || shape.empty() || shape[0] != -1 || at(id) >= out.rows.size()) continue;
    out.rows[at(id)] = false;
    if (out.axes[at(id)] == std::optional<std::size_t>(0)) out.axes[at(id)].reset();
  }
  if (bound.inputs.empty()) return out;
  const auto& input = bound.value(bound.inputs[out.input]);
  if (input.shape.size() > 3 && input.shape[0] != 1)
    throw Error(ErrorCode::unsupported,
                "what the model selects by its data can be explained for one image at a time",
                {"", input.name, ""});
  return out;
}

void open_extents(const Selections& selections, const graph::Graph& bound, const TargetValues& read,
                  std::vector<TargetValue>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto& value = values[i];
    if (value.name.empty()) continue;
    // A node's name stands for its value's.
    const auto open = selections.open->find(bound.value(read.values[i].second).name);
    if (open == selections.open->end()) continue;
    const std::size_t images = value.of_images ? 1 : 0;
    for (std::size_t d = 0; d < value.shape.size(); ++d)
      if (open->second.at(d + images) == -1) value.shape[d] = -1;
  }
}

std::string empty_target(const graph::Graph& bound, const ExplainerOptions& options) {
  const auto is_empty = [&](graph::ValueId id) {
    return id && bound.value(id).constant && bound.value(id).constant->size() == 0;
  };
  auto names = options.prepare.target_values;
  const bool scores = names.empty() || std::find(names.begin(), names.end(), "") != names.end();
  if (scores && !options.compile.output.empty()) names.push_back(options.compile.output);
  for (const auto& name : names)
    if (!name.empty() && is_empty(bound.find_value(name))) return name;
  if (!scores || !options.compile.output.empty()) return {};
  for (const auto id : bound.outputs)
    if (bound.value(id).type == graph::DType::f32 && is_empty(id)) return bound.value(id).name;
  return {};
}

std::shared_ptr<const Explainer::Impl> selected(const Explainer::Impl& outline,
                                                std::vector<std::span<const float>>& data,
                                                Selections& found, const CallOptions& call) {
  std::map<std::string, std::span<const float>> named;
  for (std::size_t i = 0; i < data.size(); ++i) named[outline.inputs[i].name] = data[i];
  found = outline.stages->select(named, outline.budget, call);
  auto out = outline.stages->explainer(found, [&] { return make_selected(outline, found, call); });
  data.clear();
  for (const auto& input : out->inputs) {
    const auto own = named.find(input.name);
    data.push_back(own != named.end() ? own->second : found.results.at(input.name).data);
  }
  return out;
}

/// What leads to the next selections.
struct Stages::Stage {
  struct Fetch {
    std::string name;
    graph::DType type;
    Shape shape;
  };
  std::vector<graph::Selection> open;  ///< none: everything is known
  graph::Graph graph;                  ///< whose values they read
  std::vector<std::string> feeds;
  std::vector<Fetch> fetches;
  std::shared_ptr<const engine::Plan> plan;
  std::unique_ptr<WorkspacePool> pool;

  void run(const std::map<std::string, std::span<const float>>& data,
           std::map<std::string, KnownValue>& known, const Selections& found,
           const CallOptions& call) const;
  Selections select(const std::map<std::string, std::span<const float>>& data,
                    const std::map<std::string, KnownValue>& known) const;
};

Stages::Stages(const Model& model, const ExplainerOptions& options,
               std::shared_ptr<const OpenExtents> open)
    : model_(model),
      options_(options),
      shapes_(shapes_to_bind(model.inputs(), options.compile)),
      open_(std::move(open)) {}
Stages::~Stages() = default;

namespace {

/// What the graph has and what it lacks reads.
std::vector<graph::ValueId> frontier(const BoundSelections& bound) {
  std::vector<bool> reads(bound.graph.values().size(), false);
  for (const auto& node : bound.source.nodes()) {
    if (!is_lost(bound.graph, node.outputs[0])) continue;
    for (const auto id : node.inputs)
      if (id) reads[at(id)] = true;
  }
  std::vector<graph::ValueId> out;
  for (std::size_t v = 0; v < reads.size(); ++v) {
    const graph::ValueId id{static_cast<std::int32_t>(v)};
    const auto& value = bound.graph.value(id);
    if (reads[v] && value.producer && !value.constant) out.push_back(id);
  }
  return out;
}

}  // namespace

std::shared_ptr<const Stages::Stage> Stages::make(const Selections& found,
                                                  const std::map<std::string, KnownValue>& known,
                                                  base::Budget& budget,
                                                  const base::Limits& limits) const {
  auto out = std::make_shared<Stage>();
  auto bound = bind_selections(model_, found, known, shapes_, options_.compile, limits);
  out->open = std::move(bound.open);
  if (out->open.empty()) return out;
  engine::fold_constants(bound.graph, limits);
  engine::PlanSpec spec;
  spec.fetches = frontier(bound);
  bound.graph.outputs = spec.fetches;
  for (const auto id : spec.fetches) {
    const auto& value = bound.graph.value(id);
    out->fetches.push_back({value.name, value.type, value.shape});
  }
  spec.feeds = bound.graph.inputs;
  for (const auto id : spec.feeds) out->feeds.push_back(bound.graph.value(id).name);
  spec.choices = Access::impl(model_).choices.get();
  spec.measures = false;
  spec.optimize = options_.compile.optimize;
  spec.memory_limit = options_.pool.memory_limit;
  spec.limits = limits;
  if (!spec.fetches.empty()) {
    out->plan = engine::Plan::build(bound.graph, spec, *Access::impl(model_).weights);
    out->pool = std::make_unique<WorkspacePool>(*out->plan, 1, budget);
  }
  out->graph = std::move(bound.graph);
  return out;
}

std::shared_ptr<const Stages::Stage> Stages::stage(const Selections& found,
                                                   const std::map<std::string, KnownValue>& known,
                                                   base::Budget& budget,
                                                   const base::Limits& limits) {
  const std::lock_guard lock(staging_);
  const auto key = found.key();
  for (const auto& [own, stage] : stages_)
    if (own == key) return stage;
  // The first one, of any extents, stays.
  constexpr std::size_t kMost = 8;
  if (stages_.size() >= kMost) stages_.pop_back();
  auto made = make(found, known, budget, limits);
  stages_.insert(stages_.empty() ? stages_.end() : std::next(stages_.begin()), {key, made});
  return made;
}

void Stages::Stage::run(const std::map<std::string, std::span<const float>>& data,
                        std::map<std::string, KnownValue>& known, const Selections& found,
                        const CallOptions& call) const {
  if (plan == nullptr) return;
  std::vector<std::span<const float>> in;
  for (const auto& name : feeds) {
    if (const auto own = data.find(name); own != data.end())
      in.push_back(own->second);
    else if (const auto result = found.results.find(name); result != found.results.end())
      in.emplace_back(result->second.data);
    else
      in.emplace_back(known.at(name).data);
  }
  Lease lease(*pool, call);
  CallOptions own = call;
  own.step_ms = {};
  plan->forward(lease.workspace(), in, own);
  std::map<std::string, KnownValue> made;
  for (std::size_t i = 0; i < fetches.size(); ++i) {
    const auto view = plan->fetch(lease.workspace(), i);
    made[fetches[i].name] = {
        fetches[i].type, fetches[i].shape,
        std::vector<float>(view.data, view.data + base::element_count(view.shape))};
  }
  known.merge(made);
}

Selections Stages::Stage::select(const std::map<std::string, std::span<const float>>& data,
                                 const std::map<std::string, KnownValue>& known) const {
  const auto value_of = [&](graph::ValueId id) {
    const auto& value = graph.value(id);
    if (value.constant) return *value.constant;
    if (const auto own = data.find(value.name); own != data.end())
      return constant_of({value.type, value.shape, {own->second.begin(), own->second.end()}});
    return constant_of(known.at(value.name));
  };
  Selections out;
  for (const auto& selection : open) {
    const auto& name = graph.value(selection.wanted).name;
    if (!selection.is_result) {
      out.parameters[name] = value_of(selection.wanted).ints.front();
      continue;
    }
    std::vector<graph::Constant> inputs;
    inputs.reserve(selection.node.inputs.size());
    std::vector<const graph::Constant*> given;
    for (const auto id : selection.node.inputs) {
      if (id) inputs.push_back(value_of(id));
      given.push_back(id ? &inputs.back() : nullptr);
    }
    out.results[name] = known_value(graph::select(graph, selection, given));
  }
  return out;
}

Selections Stages::select(const std::map<std::string, std::span<const float>>& data,
                          base::Budget& budget, const CallOptions& call) {
  Selections out;
  out.open = open_;
  std::map<std::string, KnownValue> known;
  for (int count = 0; count < kMostSelectionStages; ++count) {
    const auto next = stage(out, known, budget, base::Limits(call));
    if (next->open.empty()) return out;
    next->run(data, known, out, call);
    auto more = next->select(data, known);
    out.results.merge(more.results);
    out.parameters.merge(more.parameters);
  }
  throw Error(ErrorCode::unsupported, "more than " + std::to_string(kMostSelectionStages) +
                                          " selections lie one behind the other");
}

}  // namespace fovea::api
