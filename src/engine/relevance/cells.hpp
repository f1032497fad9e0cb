#pragma once

#include "engine/ops/op.hpp"
#include "engine/relevance/steps.hpp"

namespace fovea::engine {

/// Relevance from the results of a recurrent operator to its sequence and its first states, by
/// "signal takes all" (Arras et al. 2017): gates are constants. `stabilizer`: of the sums that the
/// candidate's activation gets.
void through_cells(const graph::Recurrent& op, float stabilizer, Losses& losses,
                   BackwardContext& context);

}  // namespace fovea::engine
