#include <algorithm>
#include <set>
#include <utility>

#include "api/access.hpp"
#include "api/fixed_inputs.hpp"
#include "api/partial.hpp"
#include "api/selections.hpp"
#include "base/checked.hpp"

/// What is known of a model before it selects anything.
namespace fovea::api {
namespace {

void add_guess(const graph::Graph& graph, const graph::Selection& selection, std::int64_t count,
               Selections& out) {
  const auto& name = graph.value(selection.wanted).name;
  if (!selection.is_result) {
    out.parameters[name] = count;
    return;
  }
  Shape shape{count, 3};
  if (std::holds_alternative<graph::NonZero>(selection.node.op))
    shape = {static_cast<std::int64_t>(graph.value(selection.node.inputs[0]).shape.size()), count};
  out.results[name] = {graph::DType::i64, shape,
                       std::vector<float>(static_cast<std::size_t>(base::element_count(shape)))};
}

bool may_select(const graph::Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const graph::Node& node) {
    return std::holds_alternative<graph::NonZero>(node.op) ||
           std::holds_alternative<graph::NonMaxSuppression>(node.op) ||
           std::holds_alternative<graph::TopK>(node.op);
  });
}

/// Is something that the options name, or else the scores, not to be had of the graph as it is
/// bound?
bool lacks_what_is_wanted(const Model& model, const graph::Graph& bound,
                          const std::map<std::string, Shape>& shapes,
                          const ExplainerOptions& options, const base::Limits& limits) {
  std::set<std::string> names(options.compile.fetches.begin(), options.compile.fetches.end());
  const auto& targets = options.prepare.target_values;
  names.insert(targets.begin(), targets.end());
  const bool scores = targets.empty() || names.contains("");
  if (scores) names.insert(options.compile.output);
  names.erase("");
  for (const auto& name : names)
    if (const auto id = graph::find_layer(bound, name); !id || is_lost(bound, id)) return true;
  if (!scores || !options.compile.output.empty()) return false;
  // Nobody says which output: the first choice has to be among those that are there.
  try {
    Partial partial(Access::impl(model).imported);
    auto source = source_of(model, options.compile, limits);
    auto own = source;
    partial.bind(source, own, shapes, options.compile.batch, limits);
    partial.find_scores(own, "");
    return false;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled || error.code() == ErrorCode::deadline_exceeded) throw;
    return true;
  }
}

/// Those of the guess of one that are others where two are selected. What two do not fit is left as
/// it is.
OpenExtents find_open_extents(const Model& model, const ExplainerOptions& options,
                              const std::map<std::string, Shape>& shapes,
                              const BoundSelections& one, const base::Limits& limits) {
  Selections two;
  std::optional<BoundSelections> bound;
  try {
    for (int stage = 0; stage < kMostSelectionStages; ++stage) {
      bound = bind_selections(model, two, {}, shapes, options.compile, limits);
      if (bound->open.empty()) break;
      for (const auto& selection : bound->open) add_guess(bound->graph, selection, 2, two);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled || error.code() == ErrorCode::deadline_exceeded) throw;
    return {};
  }
  OpenExtents out;
  for (const auto& value : one.graph.values()) {
    const auto id = bound->graph.find_value(value.name);
    if (!id || is_lost(bound->graph, id)) continue;
    const auto& other = bound->graph.value(id).shape;
    if (other == value.shape || other.size() != value.shape.size()) continue;
    auto& shape = out[value.name] = value.shape;
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (shape[d] != other[d]) shape[d] = -1;
  }
  return out;
}

}  // namespace

std::optional<Guess> guess_selections(const Model& model, const ExplainerOptions& options,
                                      const base::Limits& limits, bool& selects) {
  if (!may_select(Access::impl(model).imported.graph)) return std::nullopt;
  const auto shapes = shapes_to_bind(model.inputs(), options.compile);
  Guess out;
  for (int stage = 0; stage < kMostSelectionStages; ++stage) {
    const auto bound = bind_selections(model, out.selections, {}, shapes, options.compile, limits);
    if (stage == 0) {
      selects = !bound.open.empty();
      const bool lacks =
          selects && lacks_what_is_wanted(model, bound.graph, shapes, options, limits);
      if (!lacks) return std::nullopt;
      out.shapes = shapes_of(bound.graph);
    }
    if (bound.open.empty()) {
      out.selections.open = std::make_shared<const OpenExtents>(
          find_open_extents(model, options, shapes, bound, limits));
      return out;
    }
    for (const auto& selection : bound.open) add_guess(bound.graph, selection, 1, out.selections);
  }
  throw Error(ErrorCode::unsupported, "more than " + std::to_string(kMostSelectionStages) +
                                          " selections lie one behind the other");
}

}  // namespace fovea::api
