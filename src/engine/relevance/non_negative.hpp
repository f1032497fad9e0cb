#pragma once

#include <vector>

#include "graph/graph.hpp"

namespace fovea::engine {

/// For each value: can it be shown that no element is below 0, whatever the inputs?
std::vector<bool> non_negative_values(const graph::Graph& graph);

}  // namespace fovea::engine
