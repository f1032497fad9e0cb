#pragma once

#include "graph/graph.hpp"

namespace fovea::graph::detail {

/// Edges and order: every id exists, every input is made earlier, by one node, and every output of
/// the graph is made at all. Throws Error bad_model naming the node.
void check_structure(const Graph& graph);

}  // namespace fovea::graph::detail
