#include <algorithm>

#include "graph/query.hpp"
#include "graph/query/walk.hpp"

namespace fovea::graph {
namespace {

template <class List, class T>
bool all_are(const List& list, T wanted) {
  return std::all_of(list.begin(), list.end(), [wanted](auto v) { return v == wanted; });
}

/// One overload per op that may copy; type and shape are known to agree.
struct Copies {
  const Graph& graph;
  const Node& node;

  bool operator()(const Unary& op) const { return op.kind == UnaryKind::identity; }
  bool operator()(const Cast&) const { return true; }
  bool operator()(const Reshape&) const { return true; }
  bool operator()(const Expand&) const { return true; }
  bool operator()(const Tile&) const { return true; }
  bool operator()(const Concat&) const { return node.inputs.size() == 1; }
  bool operator()(const Split&) const { return node.outputs.size() == 1; }
  bool operator()(const Reduce& op) const { return op.axes->empty() && is_linear(op.kind); }
  bool operator()(const Pad& op) const { return all_are(*op.pads, 0); }
  bool operator()(const Slice& op) const { return all_are(*op.steps, 1); }
  bool operator()(const Resize& op) const { return all_are(*op.scales, 1.0f); }
  bool operator()(const DepthToSpace& op) const { return op.block == 1; }
  bool operator()(const SpaceToDepth& op) const { return op.block == 1; }
  bool operator()(const Pool& op) const {
    const auto& w = op.window;
    return all_are(w.kernel, 1) && all_are(w.strides, 1) && all_are(w.pads_begin, 0) &&
           all_are(w.pads_end, 0);
  }
  bool operator()(const Transpose& op) const {
    // Extents of 1 may go anywhere: the order of the others is what counts.
    const auto& shape = graph.value(node.inputs[0]).shape;
    std::int64_t last = -1;
    for (const auto axis : op.perm) {
      if (shape[static_cast<std::size_t>(axis)] == 1) continue;
      if (axis < last) return false;
      last = axis;
    }
    return true;
  }
  template <class Other>
  bool operator()(const Other&) const {
    return false;
  }

  static bool is_linear(ReduceKind kind) {
    return kind == ReduceKind::mean || kind == ReduceKind::sum || kind == ReduceKind::max ||
           kind == ReduceKind::min || kind == ReduceKind::prod;
  }
};

}  // namespace

bool is_copy(const Graph& graph, const Node& node) {
  if (node.inputs.empty() || !node.inputs[0] || node.outputs.size() != 1) return false;
  const auto& from = graph.value(node.inputs[0]);
  const auto& to = graph.value(node.outputs[0]);
  return from.type == to.type && from.shape == to.shape && std::visit(Copies{graph, node}, node.op);
}

ValueId detail::skip_copies(const Graph& graph, ValueId id) {
  for (;;) {
    const auto* node = producer(graph, id);
    if (node == nullptr || !is_copy(graph, *node)) return id;
    id = node->inputs[0];
  }
}

}  // namespace fovea::graph
