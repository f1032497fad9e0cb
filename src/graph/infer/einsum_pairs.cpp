#include <algorithm>
#include <limits>
#include <utility>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"
#include "graph/infer/einsum.hpp"

namespace fovea::graph::detail {
namespace {

/// The letters that a product of operands i and j keeps: those that the result or another operand
/// has.
std::string kept(const EinsumTerms& terms, std::size_t i, std::size_t j) {
  std::string needed = terms.result, out;
  for (std::size_t k = 0; k < terms.operands.size(); ++k)
    if (k != i && k != j) needed += terms.operands[k];
  for (const char letter : terms.operands[i] + terms.operands[j])
    if (needed.find(letter) != std::string::npos && out.find(letter) == std::string::npos)
      out += letter;
  return out;
}

struct Pair {
  std::size_t i = 0, j = 1;
  std::string letters;
};

/// By the product's elements, then by those that are multiplied; f64, since they may be many.
Pair smallest_pair(const EinsumTerms& terms) {
  const auto size_of = [&](const std::string& letters) {
    std::string once;
    for (const char letter : letters)
      if (once.find(letter) == std::string::npos) once += letter;
    double size = 1;
    for (const char letter : once) size *= static_cast<double>(terms.extents.at(letter));
    return size;
  };
  Pair best;
  auto least = std::pair(std::numeric_limits<double>::infinity(), 0.);
  for (std::size_t i = 0; i < terms.operands.size(); ++i)
    for (std::size_t j = i + 1; j < terms.operands.size(); ++j) {
      const auto letters = kept(terms, i, j);
      const std::pair cost(size_of(letters), size_of(terms.operands[i] + terms.operands[j]));
      if (cost < least) {
        least = cost;
        best = {i, j, letters};
      }
    }
  return best;
}

/// How many products come before the last one.
std::size_t room_for(const Node& node) {
  const auto operands = node.inputs.size();
  const bool is_one = std::holds_alternative<Einsum>(node.op);
  return is_one && operands > 2 && operands <= kMaxEinsumOperands ? operands - 2 : 0;
}

}  // namespace

RoomForPairs make_room_for_pairs(Graph& graph) {
  RoomForPairs out;
  const auto count = static_cast<std::int32_t>(graph.nodes().size());
  std::vector<NodeId> order;
  for (NodeId id{0}; id.index < count; ++id.index) {
    const auto room = room_for(graph.node(id));
    if (room > 0)
      out[static_cast<std::int32_t>(order.size())] = {
          static_cast<std::int32_t>(order.size() + room)};
    for (std::size_t i = 0; i < room; ++i) {
      const auto name = graph.unique_name(graph.value(graph.node(id).outputs[0]).name + "/pair");
      const Node like = graph.node(id);
      order.push_back(graph.add_node(name, like.op_type, like.op, like.inputs, {name}));
    }
    order.push_back(id);
  }
  if (out.empty()) return out;
  std::vector<Node> nodes;
  nodes.reserve(order.size());
  for (const auto id : order) nodes.push_back(std::move(graph.node(id)));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const NodeId id{static_cast<std::int32_t>(i)};
    for (const auto output : nodes[i].outputs) graph.value(output).producer = id;
    graph.node(id) = std::move(nodes[i]);
  }
  return out;
}

void contract_in_pairs(Graph& graph, NodeId first, NodeId einsum) {
  const auto& op = std::get<Einsum>(graph.node(einsum).op);
  auto inputs = graph.node(einsum).inputs;
  std::vector<Shape> shapes;
  EinsumTerms terms;
  try {
    for (const auto input : inputs) {
      if (!input) bad_model("an input is missing");
      shapes.push_back(graph.value(input).shape);
    }
    terms = resolve_einsum(op.equation, shapes);
  } catch (const Error& error) {
    throw error.with(where(graph.node(einsum)));
  }
  for (auto at = first; at < einsum; ++at.index) {
    const auto pair = smallest_pair(terms);
    const auto i = static_cast<std::ptrdiff_t>(pair.i), j = static_cast<std::ptrdiff_t>(pair.j);
    const EinsumTerms product{{terms.operands[pair.i], terms.operands[pair.j]}, pair.letters, {}};
    auto& node = graph.node(at);
    node.op = Einsum{product.equation()};
    node.inputs = {inputs[pair.i], inputs[pair.j]};
    inputs.push_back(node.outputs[0]);
    terms.operands.push_back(pair.letters);
    inputs.erase(inputs.begin() + j);
    inputs.erase(inputs.begin() + i);
    terms.operands.erase(terms.operands.begin() + j);
    terms.operands.erase(terms.operands.begin() + i);
  }
  auto& last = graph.node(einsum);
  last.inputs = inputs;
  last.op = Einsum{terms.equation()};
}

}  // namespace fovea::graph::detail
