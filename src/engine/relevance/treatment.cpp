#include "engine/relevance/treatment.hpp"

#include <algorithm>
#include <optional>

#include "engine/ops/linear.hpp"
#include "engine/relevance/non_negative.hpp"
#include "graph/op_traits.hpp"
#include "graph/query.hpp"

namespace fovea::engine {
namespace {

using graph::BinaryKind;
using graph::UnaryKind;

std::size_t at(graph::ValueId id) {
  return static_cast<std::size_t>(id.index);
}

bool is_linear(const graph::Graph& graph, const graph::Node& node) {
  return has_linear_form(node.op, graph, node);
}

bool is_whole(const Substitute& s) {
  return s == Substitute{};
}

/// Batch norms and arithmetic with constants, which a linear layer in front may have taken in.
bool may_be_folded(const graph::Graph& graph, const graph::Node& node) {
  if (std::holds_alternative<graph::BatchNorm>(node.op)) return true;
  if (!std::holds_alternative<graph::Binary>(node.op) || node.inputs.size() < 2) return false;
  return graph.value(node.inputs[0]).constant || graph.value(node.inputs[1]).constant;
}

}  // namespace

bool is_plain(const LinearRule& rule) {
  if (rule.groups.size() != 1) return false;
  const auto& group = rule.groups.front();
  return group.scale == 1 && group.side == 0 && group.terms.size() == 1 && is_whole(group.bias) &&
         is_whole(group.terms[0].input) && is_whole(group.terms[0].weights);
}

RelevanceRules::RelevanceRules(const graph::Graph& source, Relevance relevance)
    : relevance_(std::move(relevance)) {
  for (const auto& [name, rule] : relevance_.layers) {
    const auto id = graph::find_layer(source, name);
    if (!id || !source.value(id).producer)
      throw Error(ErrorCode::invalid_argument, "the model has no layer '" + name + "' for a rule",
                  {"", name, ""});
    const auto& node = source.node(source.value(id).producer);
    if (!is_linear(source, node) && !may_be_folded(source, node))
      throw Error(ErrorCode::invalid_argument,
                  "the layer '" + name + "' follows no rule: it is no convolution or matrix " +
                      "product with constant weights, but " + node.op_type,
                  {"", name, node.op_type});
    named_.push_back({id, is_linear(source, node) ? node.name : "", rule});
  }
}

void RelevanceRules::settle(const graph::Graph& graph) {
  graph_ = &graph;
  non_negative_ = non_negative_values(graph);
  first_.assign(graph.values().size(), false);
  for (const auto id : graph.inputs) first_[at(id)] = true;
  for (const auto& node : graph.nodes()) {
    if (is_linear(graph, node) || std::holds_alternative<graph::Recurrent>(node.op)) continue;
    for (const auto input : node.inputs)
      if (input && first_[at(input)])
        for (const auto output : node.outputs) first_[at(output)] = true;
  }
  for (const auto& named : named_)
    if (std::none_of(graph.nodes().begin(), graph.nodes().end(), [&](const auto& node) {
          return is_linear(graph, node) &&
                 (node.name == named.node || node.outputs[0] == named.value);
        }))
      throw Error(ErrorCode::invalid_argument,
                  "the layer '" + graph.value(named.value).name +
                      "' follows no rule: no convolution or matrix product is left of it",
                  {"", graph.value(named.value).name, ""});
}

const LinearRule& RelevanceRules::rule_of(const graph::Node& node) const {
  for (const auto& named : named_)
    if (node.name == named.node || (named.node.empty() && node.outputs[0] == named.value))
      return named.rule;
  const bool convolution = std::holds_alternative<graph::Conv>(node.op) ||
                           std::holds_alternative<graph::ConvTranspose>(node.op);
  const auto& first = convolution ? relevance_.first_convolution : relevance_.first_dense;
  if (first && first_[at(node.inputs[0])]) return *first;
  return convolution ? relevance_.convolution : relevance_.dense;
}

namespace {

/// None: as what it reads.
std::optional<bool> gate_by_fields(const graph::Unary& op) {
  if (op.kind == UnaryKind::identity) return std::nullopt;
  return op.kind == UnaryKind::sigmoid || op.kind == UnaryKind::hard_sigmoid;
}
std::optional<bool> gate_by_fields(const graph::Softmax& op) {
  return !op.log;
}
/// A cubic kernel leaves 0 to 1.
std::optional<bool> gate_by_fields(const graph::Resize& op) {
  const bool within =
      op.mode != graph::ResizeMode::cubic && op.extrapolation >= 0 && op.extrapolation <= 1;
  return within ? std::nullopt : std::optional(false);
}

template <class Operator>
std::optional<bool> gate_of(const Operator& op) {
  constexpr auto gate = graph::trait::row<Operator>.gate;
  // A convolution or product that ends in an activation.
  if constexpr (requires { op.post; })
    if (!op.post.empty() && op.post.back().kind == graph::PostOp::Kind::unary)
      return gate_by_fields(op.post.back().unary).value_or(false);
  if constexpr (gate == graph::trait::gate_by_fields)
    return gate_by_fields(op);
  else
    return gate == graph::trait::gate_kept ? std::nullopt : std::optional(false);
}

}  // namespace

/// A sigmoid or a softmax, perhaps moved about since.
bool RelevanceRules::is_gate(graph::ValueId id) const {
  while (graph_->value(id).producer) {
    const auto& node = graph_->node(graph_->value(id).producer);
    const auto gate = std::visit([](const auto& op) { return gate_of(op); }, node.op);
    if (gate) return *gate;
    id = node.inputs[0];
  }
  return false;
}

Treatment RelevanceRules::by_fields(const graph::Binary& op, const graph::Node& node) const {
  using Kind = Treatment::Kind;
  const auto a = node.inputs[0], b = node.inputs[1];
  const unsigned signals = (is_constant(a) ? 0u : 1u) | (is_constant(b) ? 0u : 2u);
  switch (op.kind) {
    case BinaryKind::add:
    case BinaryKind::sub:
      return {Kind::norm, signals};
    case BinaryKind::max:
    case BinaryKind::min:
      return {signals == 3 ? Kind::plain : Kind::pass, signals};
    case BinaryKind::div:
    case BinaryKind::pow:
      return {Kind::pass, (signals & 1u) != 0 ? 1u : 2u};
    case BinaryKind::mul:
      break;
    case BinaryKind::mod:
    case BinaryKind::fmod:
    case BinaryKind::bit_and:
    case BinaryKind::bit_or:
    case BinaryKind::bit_xor:
    case BinaryKind::shift_left:
    case BinaryKind::shift_right:
    case BinaryKind::equal:
    case BinaryKind::less:
    case BinaryKind::less_or_equal:
    case BinaryKind::greater:
    case BinaryKind::greater_or_equal:
    case BinaryKind::logical_and:
    case BinaryKind::logical_or:
    case BinaryKind::logical_xor:
      return {};
  }
  if (signals != 3) return {Kind::pass, signals};
  if (a == b) return {Kind::pass, 1};
  if (is_gate(a) != is_gate(b)) return {Kind::pass, is_gate(a) ? 2u : 1u};
  const auto& sa = graph_->value(a).shape;
  const auto& sb = graph_->value(b).shape;
  const auto& out = graph_->value(node.outputs[0]).shape;
  if ((sa == out) != (sb == out)) return {Kind::pass, sa == out ? 1u : 2u};
  return {Kind::pass, 3, 0.5f};
}

/// A product of two values, or of one and a constant in a form that no rule knows.
Treatment RelevanceRules::of_product(const graph::Node& node) const {
  using Kind = Treatment::Kind;
  if (node.inputs.size() < 2 || !node.inputs[1]) return {Kind::plain};
  const auto a = node.inputs[0], b = node.inputs[1];
  if (is_constant(a) || is_constant(b)) return {Kind::norm, is_constant(a) ? 2u : 1u};
  if (is_gate(a) != is_gate(b)) return {Kind::norm, is_gate(a) ? 2u : 1u};
  return {Kind::norm, 3, 0.5f};
}

Treatment RelevanceRules::by_fields(const graph::Gemm&, const graph::Node& node) const {
  return of_product(node);
}

Treatment RelevanceRules::by_fields(const graph::MatMul&, const graph::Node& node) const {
  return of_product(node);
}

Treatment RelevanceRules::by_fields(const graph::Einsum& op, const graph::Node& node) const {
  if (node.inputs.size() > 1) return of_product(node);
  const auto arrow = op.equation.find("->");
  const bool sums = op.equation.substr(0, arrow).find_first_not_of(op.equation.substr(arrow + 2)) !=
                    std::string::npos;
  return {sums ? Treatment::Kind::norm : Treatment::Kind::plain};
}

/// Where the places depend on the picture, what moves has no rule. Zeros around it take a part of
/// the weights.
Treatment RelevanceRules::by_fields(const graph::GridSample& op, const graph::Node& node) const {
  using Kind = Treatment::Kind;
  if (!is_constant(node.inputs[1])) return {};
  return {op.padding == graph::GridPadding::zeros ? Kind::norm : Kind::plain};
}

/// To the sequence and the states before it.
Treatment RelevanceRules::by_fields(const graph::Recurrent&, const graph::Node&) const {
  return {Treatment::Kind::cells, 1u | 1u << 5 | 1u << 6, 1, &relevance_.dense};
}

Treatment RelevanceRules::of(const graph::Node& node) const {
  using Kind = Treatment::Kind;
  if (is_linear(*graph_, node)) return {Kind::linear, 1, 1, &rule_of(node)};
  const auto by_row = [&]<class Operator>(const Operator& op) -> Treatment {
    namespace trait = graph::trait;
    constexpr bool has_own = trait::of_any_kind<Operator>(
        [](const auto& any) { return any.relevance == trait::relevance_by_fields; });
    switch (trait::arithmetic(op).relevance) {
      case trait::as_gradient:
        return {Kind::plain};
      case trait::passed_on:
        return {Kind::pass};
      case trait::in_proportion:
        return {Kind::norm};
      case trait::relevance_by_fields:
        if constexpr (has_own) return by_fields(op, node);
        break;
      case trait::no_rule:
        break;
    }
    return {};
  };
  return std::visit(by_row, node.op);
}

BackwardReads RelevanceRules::reads(const graph::Node& node, unsigned wanted) const {
  const auto own = [&] { return backward_reads(node.op, wanted); };
  const auto treatment = of(node);
  switch (treatment.kind) {
    case Treatment::Kind::plain:
      return own();
    case Treatment::Kind::pass:
    case Treatment::Kind::none:
      return {};
    case Treatment::Kind::norm: {
      wanted &= treatment.to;
      auto reads = own();
      reads.inputs |= wanted;
      reads.output = true;
      return reads;
    }
    case Treatment::Kind::cells: {
      auto reads = own();
      reads.inputs |= 1u;
      return reads;
    }
    case Treatment::Kind::linear:
      break;
  }
  BackwardReads reads;
  const auto& rule = *treatment.rule;
  reads.output = is_plain(rule);
  for (const auto& group : rule.groups) {
    reads.output = reads.output || group.side != 0;
    for (const auto& term : group.terms)
      if (term.input.kind != Substitute::Kind::constant) reads.inputs = 1;
  }
  return reads;
}

}  // namespace fovea::engine
