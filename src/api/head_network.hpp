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

/// The network from a layer to the scores, as a plan of its own.
struct PreparedHead {
  std::shared_ptr<const engine::Plan> plan;
  std::unique_ptr<WorkspacePool> pool;
  std::int64_t batch = 1;     ///< maps that it takes at once
  bool reads_inputs = false;  ///< something goes round the layer: the inputs are feeds too
  std::vector<bool> stacked;  ///< per input: has it a row per map?
  bool has_gradient = false;
};

struct HeadRequest {
  const graph::Graph& source;  ///< as imported
  const graph::Graph& bound;   ///< to the explainer's extents
  const graph::Pictures& pictures;
  graph::ValueId layer, logits;
  std::int64_t batch;          ///< wanted; networks that only take their own batch get that
  bool gradient = false;       ///< of the scores, with respect to the layer, at every position
  bool few_positions = false;  ///< what is handed in is zero but at a few positions
};

/// For fewer maps at once where there is no memory for so many. Throws as Plan::build does.
PreparedHead prepare_head(HeadRequest request, const ExplainerOptions& options,
                          const engine::PlanSpec& like, engine::WeightCache& weights,
                          base::Budget& budget);

}  // namespace fovea::api
