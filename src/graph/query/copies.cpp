#include <algorithm>

#include "graph/op_traits.hpp"
#include "graph/query.hpp"
#include "graph/query/edges.hpp"

namespace fovea::graph {
namespace {

template <class List, class T>
bool all_are(const List& list, T wanted) {
  return std::all_of(list.begin(), list.end(), [wanted](auto v) { return v == wanted; });
}

/// Type and shape are known to agree.
struct Copies {
  const Graph& graph;
  const Node& node;

  template <class Operator>
  bool operator()(const Operator& op) const {
    constexpr auto copies = trait::row<Operator>.copies;
    if constexpr (copies == trait::copies_by_fields)
      return by_fields(op);
    else
      return copies == trait::repeats;
  }

  bool by_fields(const Unary& op) const { return op.kind == UnaryKind::identity; }
  bool by_fields(const Concat&) const { return node.inputs.size() == 1; }
  bool by_fields(const Split&) const { return node.outputs.size() == 1; }
  bool by_fields(const Reduce& op) const { return op.axes->empty() && is_linear(op.kind); }
  bool by_fields(const Pad& op) const { return all_are(*op.pads, 0); }
  bool by_fields(const Slice& op) const { return all_are(*op.steps, 1); }
  bool by_fields(const Resize& op) const {
    const auto& shape = graph.value(node.inputs[0]).shape;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      if (!keeps_axis(op, axis, shape[axis])) return false;
    return true;
  }
  bool by_fields(const DepthToSpace& op) const { return op.block == 1; }
  bool by_fields(const SpaceToDepth& op) const { return op.block == 1; }
  bool by_fields(const Pool& op) const {
    const auto& w = op.window;
    return all_are(w.kernel, 1) && all_are(w.strides, 1) && all_are(w.pads_begin, 0) &&
           all_are(w.pads_end, 0);
  }
  bool by_fields(const Transpose& op) const {
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
