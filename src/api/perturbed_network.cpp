#include "api/perturbed_network.hpp"

#include <algorithm>
#include <optional>

#include "api/other_batch.hpp"

namespace fovea::api {
namespace {

PreparedNetwork prepare(const graph::Graph& source, const graph::Graph& bound,
                        const graph::Pictures& pictures, graph::ValueId logits, std::int64_t wanted,
                        const ExplainerOptions& options, const engine::PlanSpec& like,
                        engine::WeightCache& weights, base::Budget& budget) {
  PreparedNetwork out;
  out.batch = pictures.count;
  out.stacked = stacked_inputs(bound, pictures);
  std::optional<Rebound> rebound;
  if (wanted != out.batch)
    rebound = with_batch(source, bound, pictures, logits, {{logits}}, wanted, like.limits);
  if (rebound) {
    out.batch = wanted;
    out.stacked = rebound->stacked;
  }
  out.plan = engine::Plan::build(rebound ? rebound->graph : bound, like, weights);
  out.pool = std::make_unique<WorkspacePool>(*out.plan, options.max_workspaces, budget);
  return out;
}

}  // namespace

PreparedNetwork prepare_network(const graph::Graph& source, const graph::Graph& bound,
                                const graph::Pictures& pictures, graph::ValueId logits,
                                const ExplainerOptions& options, engine::PlanSpec like,
                                engine::WeightCache& weights, base::Budget& budget) {
  like.feeds.clear();
  like.fetches = {logits};
  like.maps.clear();
  like.gradients.clear();
  like.grids.clear();
  if (options.perturbation_batch == 0 && engine::outgrows_caches(bound)) {
    constexpr std::int64_t kSeveral = 4;
    try {
      return prepare(source, bound, pictures, logits, kSeveral, options, like, weights, budget);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::out_of_memory) throw;
    }
  }
  // One image's maps stay in the caches, where those of several do not.
  const auto wanted = std::max<std::int64_t>(options.perturbation_batch, 1);
  return prepare(source, bound, pictures, logits, wanted, options, like, weights, budget);
}

}  // namespace fovea::api
