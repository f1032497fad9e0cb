#pragma once

#include <vector>

#include "graph/graph.hpp"
#include "graph/query/edges.hpp"

/// Values that are the scores already, but for their positions.
namespace fovea::graph::detail {

/// Per value in front of `logits`: is channel k of it all that score k depends on, so that between
/// the two lie pools, resizes, activations and moves alone?
std::vector<bool> class_maps(const Graph& graph, ValueId logits,
                             const std::vector<Layout>& layouts);

}  // namespace fovea::graph::detail
