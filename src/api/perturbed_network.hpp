#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "api/workspace_pool.hpp"
#include "engine/plan.hpp"
#include "fovea/explainer.hpp"
#include "graph/graph.hpp"
#include "graph/query.hpp"

namespace fovea::api {

/// The network from its inputs to the scores and nothing else: every step fused that can be, all
/// memory used again.
struct PreparedNetwork {
  std::shared_ptr<const engine::Plan> plan;
  std::unique_ptr<WorkspacePool> pool;
  std::int64_t batch = 1;     ///< images that it takes at once
  std::vector<bool> stacked;  ///< per input: has it a row per image?
};

/// `source`: as imported; `bound`: to the explainer's extents. Throws as Plan::build does.
PreparedNetwork prepare_network(const graph::Graph& source, const graph::Graph& bound,
                                const graph::Pictures& pictures, graph::ValueId logits,
                                const ExplainerOptions& options, engine::PlanSpec like,
                                engine::WeightCache& weights, base::Budget& budget);

}  // namespace fovea::api
