#include "api/perturbed_network.hpp"

#include <optional>

#include "api/other_batch.hpp"

namespace fovea::api {

PreparedNetwork prepare_network(const graph::Graph& source, const graph::Graph& bound,
                                graph::ValueId logits, const ExplainerOptions& options,
                                engine::PlanSpec like, engine::WeightCache& weights) {
  constexpr std::int64_t kChosen = 1;
  PreparedNetwork out;
  out.batch = bound.value(logits).shape.empty() ? 1 : bound.value(logits).shape[0];
  const auto wanted = options.perturbation_batch > 0 ? options.perturbation_batch : kChosen;
  std::optional<graph::Graph> rebound;
  if (wanted != out.batch) rebound = with_batch(source, bound, {{logits}}, wanted);
  if (rebound) out.batch = wanted;
  like.feeds.clear();
  like.fetches = {logits};
  like.maps.clear();
  like.gradients.clear();
  like.grids.clear();
  out.plan = engine::Plan::build(rebound ? *rebound : bound, like, weights);
  out.pool = std::make_unique<WorkspacePool>(*out.plan, options.max_workspaces);
  return out;
}

}  // namespace fovea::api
