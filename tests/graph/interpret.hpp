#pragma once

#include <map>
#include <vector>

#include "graph/graph.hpp"

namespace fovea::graph::test {

using Doubles = std::vector<double>;

/// Runs a bound graph in f64, one obvious loop per op, for the f32 ops that the tests of the graph
/// and of its passes use (post-ops included). Returns every value; throws std::runtime_error for an
/// op that it does not have.
std::map<ValueId, Doubles> interpret(const Graph& graph, const std::map<ValueId, Doubles>& feeds);

}  // namespace fovea::graph::test
