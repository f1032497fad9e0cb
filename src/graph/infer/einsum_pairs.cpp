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

/// The last node goes in front of `at`; those between move on by one.
void move_last_to(Graph& graph, NodeId at) {
  for (auto i = static_cast<std::int32_t>(graph.nodes().size()) - 1; i > at.index; --i) {
    std::swap(graph.node({i}), graph.node({i - 1}));
    for (const auto output : graph.node({i}).outputs) graph.value(output).producer = {i};
  }
  for (const auto output : graph.node(at).outputs) graph.value(output).producer = at;
}

}  // namespace

void contract_in_pairs(Graph& graph, NodeId id) {
  const auto* op = std::get_if<Einsum>(&graph.node(id).op);
  if (op == nullptr || graph.node(id).inputs.size() < 3) return;
  auto inputs = graph.node(id).inputs;
  std::vector<Shape> shapes;
  EinsumTerms terms;
  try {
    if (inputs.size() > 26) unsupported("Einsum of more than 26 operands");
    for (const auto input : inputs) {
      if (!input) bad_model("an input is missing");
      shapes.push_back(graph.value(input).shape);
    }
    terms = resolve_einsum(op->equation, shapes);
  } catch (const Error& error) {
    throw error.with(where(graph.node(id)));
  }
  const auto name = graph.value(graph.node(id).outputs[0]).name;
  auto at = id;
  for (; inputs.size() > 2; ++at.index) {
    const auto pair = smallest_pair(terms);
    const auto i = static_cast<std::ptrdiff_t>(pair.i), j = static_cast<std::ptrdiff_t>(pair.j);
    const EinsumTerms product{{terms.operands[pair.i], terms.operands[pair.j]}, pair.letters, {}};
    const auto made = graph.unique_name(name + "/pair");
    graph.add_node(made, graph.node(at).op_type, Einsum{product.equation()},
                   {inputs[pair.i], inputs[pair.j]}, {made});
    inputs.push_back(graph.node({static_cast<std::int32_t>(graph.nodes().size()) - 1}).outputs[0]);
    terms.operands.push_back(pair.letters);
    inputs.erase(inputs.begin() + j);
    inputs.erase(inputs.begin() + i);
    terms.operands.erase(terms.operands.begin() + j);
    terms.operands.erase(terms.operands.begin() + i);
    move_last_to(graph, at);
  }
  auto& last = graph.node(at);
  last.inputs = inputs;
  last.op = Einsum{terms.equation()};
}

}  // namespace fovea::graph::detail
