#include "api/head_network.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "api/other_batch.hpp"

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

PreparedHead prepare(const HeadRequest& request, const ExplainerOptions& options,
                     engine::PlanSpec like, engine::WeightCache& weights, base::Budget& budget) {
  PreparedHead out;
  out.batch = request.pictures.count;
  out.stacked = stacked_inputs(request.bound, request.pictures);
  out.reads_inputs = goes_round(request.bound, request.layer, request.logits);
  std::optional<Rebound> rebound;
  if (request.batch != out.batch)
    rebound = with_batch(request.source, request.bound, request.pictures, request.logits,
                         {{request.layer, request.logits}}, request.batch, like.limits);
  if (rebound) {
    out.batch = request.batch;
    out.stacked = rebound->stacked;
  }
  const graph::Graph& graph = rebound ? rebound->graph : request.bound;
  like.feeds = {request.layer};
  if (out.reads_inputs)
    like.feeds.insert(like.feeds.end(), graph.inputs.begin(), graph.inputs.end());
  like.fetches = {request.logits};
  like.few_positions = request.few_positions;
  like.maps.clear();
  like.gradients.clear();
  out.has_gradient = request.gradient;
  if (request.gradient) like.gradients.push_back({.of = request.logits, .wrt = request.layer});
  out.plan = engine::Plan::build(graph, like, weights);
  out.pool = std::make_unique<WorkspacePool>(*out.plan, options.max_workspaces, budget);
  return out;
}

}  // namespace

PreparedHead prepare_head(HeadRequest request, const ExplainerOptions& options,
                          const engine::PlanSpec& like, engine::WeightCache& weights,
                          base::Budget& budget) {
  const auto own = request.bound.value(request.layer).shape[0];
  for (;;) {
    try {
      return prepare(request, options, like, weights, budget);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::out_of_memory || request.batch <= own) throw;
    }
    request.batch = std::max(own, request.batch / (2 * own) * own);
  }
}

}  // namespace fovea::api
