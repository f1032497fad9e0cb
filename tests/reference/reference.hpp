#pragma once

#include <vector>

#include "graph/graph.hpp"
#include "reference/array.hpp"

namespace fovea::reference {

/// What a node of a bound graph yields for these inputs, straight from the operator's definition,
/// in double. `inputs` has an empty array for an absent one; `results` are the outputs' extents.
std::vector<Array> evaluate(const graph::Op& op, const std::vector<Array>& inputs,
                            const std::vector<Shape>& results);

}  // namespace fovea::reference
