#pragma once

#include <memory>

#include "engine/plan.hpp"
#include "fovea/explainer.hpp"
#include "graph/graph.hpp"

namespace fovea::api {

/// The plan for `spec` in the precision that `options` mean on this CPU, for this network, which is
/// noted in `spec`. Precision::automatic: whichever plan runs faster, timed unless `spec.choices`
/// knows, tuning is off or its time over (bf16 then, where the CPU has matrix instructions for it).
/// Throws Error invalid_argument where the CPU lacks bf16 and `options` allow nothing else.
std::shared_ptr<const engine::Plan> build_plan(const ExplainerOptions& options,
                                               const graph::Graph& graph, engine::PlanSpec& spec,
                                               engine::WeightCache& weights);

}  // namespace fovea::api
