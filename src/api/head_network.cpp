#include "api/head_network.hpp"

#include <map>
#include <optional>
#include <vector>

#include "graph/infer.hpp"

namespace fovea::api {
namespace {

/// True where an input reaches the scores without passing the layer.
bool goes_round(const graph::Graph& graph, graph::ValueId layer, graph::ValueId logits) {
  std::vector<bool> wanted(graph.values().size(), false);
  const auto at = [&](graph::ValueId id) { return wanted[static_cast<std::size_t>(id.index)]; };
  wanted[static_cast<std::size_t>(logits.index)] = true;
  for (std::size_t i = graph.nodes().size(); i-- > 0;) {
    const auto& node = graph.nodes()[i];
    bool needed = false;
    for (const auto output : node.outputs)
      needed = needed || (at(output) && output != layer && !graph.value(output).constant);
    if (!needed) continue;
    for (const auto input : node.inputs)
      if (input) wanted[static_cast<std::size_t>(input.index)] = true;
  }
  for (const auto input : graph.inputs)
    if (at(input) && input != layer) return true;
  return false;
}

/// The graph for another number of images; none where the file fixes that number somewhere.
std::optional<graph::Graph> with_batch(const HeadRequest& request) {
  graph::Graph graph = request.source;
  std::map<std::string, Shape> shapes;
  const auto own = request.bound.value(request.layer).shape[0];
  for (const auto id : graph.inputs) {
    auto& value = graph.value(id);
    Shape shape = request.bound.value(id).shape;
    if (shape.empty() || shape[0] != own) return std::nullopt;
    shape[0] = request.batch;
    value.shape[0] = -1;
    shapes[value.name] = shape;
  }
  try {
    graph::bind(graph, shapes, request.batch);
  } catch (const Error&) {
    return std::nullopt;
  }
  for (const auto id : {request.layer, request.logits}) {
    Shape wanted = request.bound.value(id).shape;
    if (wanted.empty() || wanted[0] != own) return std::nullopt;
    wanted[0] = request.batch;
    if (graph.value(id).shape != wanted) return std::nullopt;
  }
  engine::fold_constants(graph);
  return graph;
}

}  // namespace

PreparedHead prepare_head(const HeadRequest& request, const ExplainerOptions& options,
                          engine::PlanSpec like, engine::WeightCache& weights) {
  PreparedHead out;
  out.batch = request.bound.value(request.layer).shape[0];
  out.reads_inputs = goes_round(request.bound, request.layer, request.logits);
  std::optional<graph::Graph> rebound;
  if (request.batch != out.batch) rebound = with_batch(request);
  if (rebound) out.batch = request.batch;
  const graph::Graph& graph = rebound ? *rebound : request.bound;
  like.feeds = {request.layer};
  if (out.reads_inputs)
    like.feeds.insert(like.feeds.end(), graph.inputs.begin(), graph.inputs.end());
  like.fetches = {request.logits};
  like.maps.clear();
  like.gradients.clear();
  out.has_gradient = request.gradient;
  if (request.gradient) like.gradients.push_back({.of = request.logits, .wrt = request.layer});
  out.plan = engine::Plan::build(graph, like, weights);
  out.pool = std::make_unique<WorkspacePool>(*out.plan, options.max_workspaces);
  return out;
}

}  // namespace fovea::api
