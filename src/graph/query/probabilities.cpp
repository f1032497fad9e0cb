#include <algorithm>
#include <vector>

#include "graph/op_traits.hpp"
#include "graph/query/activation.hpp"
#include "graph/query/edges.hpp"

namespace fovea::graph::detail {
namespace {

/// Of which operands a result is made; it is made of probabilities where one of them is, or `all`.
struct Rule {
  std::vector<ValueId> from = {};
  bool all = false;
};

class Probabilities {
 public:
  explicit Probabilities(const Graph& graph) : graph_(graph), marks_(graph.nodes().size()) {}

  bool run(ValueId id) {
    // What may matter, from the last node to the first: each is behind what reads it.
    const auto* last = producer(graph_, id);
    if (last == nullptr) return false;
    const auto end = graph_.value(id).producer.index;
    mark(id);
    for (auto i = end; i >= 0; --i)
      if (marks_[at(i)].reached)
        for (const auto from : rule(i).from) mark(from);
    for (std::int32_t i = 0; i <= end; ++i)
      if (marks_[at(i)].reached) marks_[at(i)].is = holds(i);
    return marks_[at(end)].is;
  }

 private:
  struct Mark {
    bool reached = false, is = false;
  };

  static std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }
  void mark(ValueId id) {
    if (producer(graph_, id) != nullptr) marks_[at(graph_.value(id).producer.index)].reached = true;
  }

  bool is_activation(const Node& node) const {
    const auto* unary = std::get_if<Unary>(&node.op);
    return (unary != nullptr && unary->kind == UnaryKind::hard_sigmoid) ||
           activation_of(graph_, node.outputs[0]).has_value();
  }

  /// The operands, constants left out, of which the result's numbers are: none that scales or
  /// shifts what a norm makes of its input.
  Rule rule(std::int32_t index) const {
    const auto& node = graph_.nodes()[at(index)];
    if (is_activation(node) || std::holds_alternative<Conv>(node.op) ||
        std::holds_alternative<ConvTranspose>(node.op))
      return {};
    const auto arithmetic =
        std::visit([](const auto& op) { return trait::arithmetic(op); }, node.op);
    const auto carries = arithmetic.linear == trait::linear_in_first
                             ? 1u
                             : arithmetic.gradients & arithmetic.rescales;
    Rule out;
    bool constants = false;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto from = node.inputs[i];
      const bool carried = carries == trait::kEveryInput || (i < 32 && (carries >> i & 1) != 0);
      if (!from || !carried) continue;
      if (graph_.value(from).constant)
        constants = true;
      else
        out.from.push_back(from);
    }
    const bool elementwise =
        std::holds_alternative<Binary>(node.op) || std::holds_alternative<PRelu>(node.op);
    out.all = arithmetic.linear == trait::linear_in_one_operand ||
              std::holds_alternative<Einsum>(node.op);
    if (out.all && constants && !elementwise) out.from.clear();  // weights
    return out;
  }

  bool holds(std::int32_t index) const {
    const auto& node = graph_.nodes()[at(index)];
    if (is_activation(node)) return true;
    const auto [from, all] = rule(index);
    const auto is = [&](ValueId id) {
      return producer(graph_, id) != nullptr && marks_[at(graph_.value(id).producer.index)].is;
    };
    return !from.empty() && (all ? std::all_of(from.begin(), from.end(), is)
                                 : std::any_of(from.begin(), from.end(), is));
  }

  const Graph& graph_;
  std::vector<Mark> marks_;
};

}  // namespace

bool is_of_probabilities(const Graph& graph, ValueId id) {
  return Probabilities(graph).run(id);
}

}  // namespace fovea::graph::detail
