#pragma once

#include <string>
#include <vector>

#include "graph/graph.hpp"

/// Nodes that select by the data: how many they select is an extent of everything behind them, so
/// that nobody can bind it before they ran.
namespace fovea::graph {

/// A selection that binding came to, or what else of the data it would have to know.
struct Selection {
  /// Of the graph as imported, in which ids are those of its copies: NonZero or NonMaxSuppression,
  /// whose result is to be known; or TopK, whose k is.
  Node node;
  ValueId wanted;
  /// False: it becomes a parameter, so that a plan holds for that value alone.
  bool is_result = true;
};

/// Of a shape without an element.
Constant empty_constant(DType type, const Shape& shape);

/// What the selection's node yields for these inputs (null: absent). Throws Error as binding does,
/// and unsupported for more than are kept.
Constant select(const Graph& graph, const Selection& selection,
                const std::vector<const Constant*>& inputs);

/// Makes the value an input of the graph, of this type and these extents, whatever made it: a
/// constant, where it has no element.
void feed(Graph& graph, ValueId id, DType type, const Shape& shape);
/// Makes it a constant.
void set_known(Graph& graph, ValueId id, Constant constant);

}  // namespace fovea::graph
