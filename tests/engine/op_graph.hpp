#pragma once

#include <map>
#include <vector>

#include "engine/op_case.hpp"
#include "engine/plan.hpp"
#include "reference/reference.hpp"

/// A case as a graph with values, ready to be planned and run.
namespace fovea::engine_test {

struct Bench {
  graph::Graph graph;
  graph::Op op = graph::Unary{};          // resolved
  std::vector<graph::ValueId> arguments;  // of the node, after inference
  std::vector<graph::ValueId> results;
  std::vector<graph::ValueId> fed;
  std::map<int, reference::Array> arrays;  // by value
};

/// The case as a graph; `behind_conv` puts a 1x1 convolution before each data operand of rank 4.
Bench build_bench(const Case& one, bool behind_conv);

/// Different values, evenly spread, none within half a spacing of zero or of another: no kink and
/// no tie lies within a small step.
reference::Array spread(const Operand& operand, unsigned seed);

std::vector<float> floats(const reference::Array& a);

/// The node's results by the reference.
std::vector<reference::Array> expected(const Bench& bench);

/// Row-major copy of what a plan shows in a layout of its own.
std::vector<float> plain(const engine::ValueView& view);

/// One forward run of the bench's values.
void forward(const engine::Plan& plan, engine::Workspace& workspace, const Bench& bench);

}  // namespace fovea::engine_test
