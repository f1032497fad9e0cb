#include <algorithm>
#include <span>
#include <vector>

#include "graph/op_traits.hpp"
#include "graph/query.hpp"

namespace fovea::graph {
namespace {

/// `varying`: how many inputs lie on the way; `first`: the first of them does.
bool is_piecewise_linear(trait::Linear linear, std::ptrdiff_t varying, bool first) {
  switch (linear) {
    case trait::piecewise_linear:
      return true;
    case trait::linear_in_one_operand:
      return varying == 1;
    case trait::linear_in_first:
      return varying == 1 && first;
    case trait::curved:
      break;
  }
  return false;
}

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
    const auto linear =
        std::visit([](const auto& op) { return trait::arithmetic(op).linear; }, node.op);
    if (!is_piecewise_linear(linear, varying, node.inputs[0] && below[at(node.inputs[0])]))
      return false;
  }
  return true;
}

}  // namespace fovea::graph
