#pragma once

#include <vector>

#include "graph/query.hpp"

namespace fovea::graph {

/// The layers that one might take in place of find_local_layer's, with the reason of each: of every
/// grid the last map, higher and wider than one, that the place depends on.
std::vector<DefaultLayer> find_local_candidates(const Graph& graph, ValueId of, const Shape& place);

}  // namespace fovea::graph
