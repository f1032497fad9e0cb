#include <algorithm>
#include <span>
#include <vector>

#include "graph/query.hpp"

namespace fovea::graph {
namespace {

/// One overload per op that is piecewise linear; `varying`: how many inputs lie on the way.
struct PiecewiseLinear {
  std::size_t varying;

  bool operator()(const Unary& op) const {
    switch (op.kind) {
      case UnaryKind::identity:
      case UnaryKind::relu:
      case UnaryKind::leaky_relu:
      case UnaryKind::clip:
      case UnaryKind::hard_sigmoid:
      case UnaryKind::abs:
      case UnaryKind::neg:
        return true;
      default:
        return false;
    }
  }
  bool operator()(const Binary& op) const {
    switch (op.kind) {
      case BinaryKind::add:
      case BinaryKind::sub:
      case BinaryKind::max:
      case BinaryKind::min:
        return true;
      case BinaryKind::mul:
      case BinaryKind::div:
        return varying == 1;
      default:
        return false;
    }
  }
  bool operator()(const Reduce& op) const {
    return op.kind == ReduceKind::mean || op.kind == ReduceKind::sum ||
           op.kind == ReduceKind::max || op.kind == ReduceKind::min;
  }
  bool operator()(const Conv&) const { return varying == 1; }
  bool operator()(const ConvTranspose&) const { return varying == 1; }
  bool operator()(const Gemm&) const { return varying == 1; }
  bool operator()(const MatMul&) const { return varying == 1; }
  bool operator()(const BatchNorm&) const { return varying == 1; }
  bool operator()(const PRelu&) const { return varying == 1; }
  bool operator()(const Pool&) const { return true; }
  bool operator()(const Concat&) const { return true; }
  bool operator()(const Split&) const { return true; }
  bool operator()(const Slice&) const { return true; }
  bool operator()(const Pad&) const { return true; }
  bool operator()(const Reshape&) const { return true; }
  bool operator()(const Transpose&) const { return true; }
  bool operator()(const Expand&) const { return true; }
  bool operator()(const Tile&) const { return true; }
  bool operator()(const Resize&) const { return true; }
  bool operator()(const DepthToSpace&) const { return true; }
  bool operator()(const SpaceToDepth&) const { return true; }
  template <class Other>
  bool operator()(const Other&) const {
    return false;
  }
};

}  // namespace

bool is_piecewise_linear(const Graph& graph, ValueId from, ValueId to) {
  const auto count = graph.values().size();
  std::vector<bool> below(count, false), above(count, false);
  const auto at = [](ValueId id) { return static_cast<std::size_t>(id.index); };
  const auto any = [&](const auto& ids, const std::vector<bool>& marked) {
    return std::any_of(ids.begin(), ids.end(), [&](ValueId id) { return id && marked[at(id)]; });
  };
  // Nodes are in order: only those between the two count.
  const auto first = graph.value(from).producer.index + 1;
  const auto last = std::max(first, graph.value(to).producer.index + 1);
  const std::span<const Node> nodes(graph.nodes().begin() + first, graph.nodes().begin() + last);
  below[at(from)] = true;
  for (const auto& node : nodes)
    if (any(node.inputs, below))
      for (const auto id : node.outputs) below[at(id)] = true;
  above[at(to)] = true;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)
    if (any(node->outputs, above))
      for (const auto id : node->inputs)
        if (id) above[at(id)] = true;
  for (const auto& node : nodes) {
    if (!any(node.inputs, below) || !any(node.outputs, above)) continue;
    const auto varying = std::count_if(node.inputs.begin(), node.inputs.end(),
                                       [&](ValueId id) { return id && below[at(id)]; });
    const PiecewiseLinear rule{static_cast<std::size_t>(varying)};
    if (!std::visit(rule, node.op)) return false;
  }
  return true;
}

}  // namespace fovea::graph
