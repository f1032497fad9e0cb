#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "api/workspace_pool.hpp"
#include "engine/plan.hpp"
#include "explain/window_network.hpp"
#include "fovea/explainer.hpp"
#include "graph/graph.hpp"
#include "graph/query.hpp"

namespace fovea::api {

/// The network of what windows over the image change (passes::incremental), and the network
/// that gives it what they leave as it is.
struct PreparedWindows {
  std::shared_ptr<const engine::Plan> plan, known;
  std::unique_ptr<WorkspacePool> pool, known_pool;
  explain::WindowPlan windows;
};

struct WindowRequest {
  const graph::Graph& source;  ///< as imported
  const graph::Graph& bound;   ///< to the explainer's extents
  const graph::Pictures& pictures;
  graph::ValueId logits;
  const Shape& extents;  ///< of the image's positions
  explain::SlidingWindows windows;
};

/// None where the whole network is as good: nothing, or next to nothing, can be left out, or the
/// two networks would need more memory than is allowed. Throws as Plan::build does otherwise.
std::optional<PreparedWindows> prepare_windows(const WindowRequest& request,
                                               const ExplainerOptions& options,
                                               const engine::PlanSpec& like,
                                               engine::WeightCache& weights, base::Budget& budget);

}  // namespace fovea::api
