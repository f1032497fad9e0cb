#include "engine/relevance/relevance_pass.hpp"

#include <algorithm>
#include <utility>

#include "engine/ops/elementwise.hpp"
#include "engine/ops/linear.hpp"
#include "engine/path.hpp"
#include "engine/relevance/cells.hpp"

namespace fovea::engine {
namespace {

/// Of the divisions that no option is about.
constexpr float kStabilizer = 1e-6f;

bool is_constant(const BackwardContext& c, std::size_t input) {
  return c.has(input) && c.is_constant(input);
}

/// A constant among what a node concatenates takes its part of the relevance.
bool concatenates_constants(const BackwardContext& c) {
  const auto& op = c.node().op;
  std::size_t first = 0;
  if (std::holds_alternative<graph::Where>(op))
    first = 1;
  else if (!std::holds_alternative<graph::Concat>(op))
    return false;
  bool found = false;
  for (auto i = first; i < c.inputs(); ++i) {
    if (is_constant(c, i))
      found = true;
    else if (!c.wants(i))
      return false;  // what goes round is nobody's loss
  }
  return found;
}

[[noreturn]] void refuse_computed(const BackwardContext& c, std::size_t input) {
  c.fail(ErrorCode::unsupported,
         "layer-wise relevance propagation has no rule for input " + std::to_string(input) +
             " of this operator, which the network computes from the image: weights, biases and "
             "bounds have to be constants");
}

/// Of two signals that meet in a sum or a product the treatment says who takes what. Of any other
/// operand that is computed, a scale or a bias or a slope, nothing does.
void require_rule(const Treatment& treatment, const BackwardContext& c) {
  const auto& op = c.node().op;
  const bool meet =
      std::holds_alternative<graph::Binary>(op) || std::holds_alternative<graph::Gemm>(op) ||
      std::holds_alternative<graph::MatMul>(op) || std::holds_alternative<graph::Einsum>(op);
  for (std::size_t i = meet ? 2 : 0; i < c.inputs(); ++i)
    if ((treatment.to >> i & 1u) == 0 && c.wants(i)) refuse_computed(c, i);
}

/// A term's replaced input, and W^T s for it, summed over groups.
struct Reached {
  Substitute input;
  Operand share;
};

/// The terms that remain of a rule where no input is below 0.
LinearRule on_non_negative(const LinearRule& rule) {
  LinearRule out = rule;
  for (auto& group : out.groups) {
    std::vector<RuleTerm> terms;
    for (auto term : group.terms) {
      if (term.input.kind == Substitute::Kind::parts) {
        if (term.input.positive == 0) continue;
        term.input.negative = term.input.positive;
      }
      terms.push_back(term);
    }
    group.terms = std::move(terms);
  }
  return out;
}

}  // namespace

void RelevancePass::back(const graph::Node& node, Gradients& relevance,
                         const std::vector<bool>& path) {
  BackwardContext context(b_, node, relevance, path, reads_of(node, path));
  const auto treatment = rules_.of(node);
  switch (treatment.kind) {
    case Treatment::Kind::plain:
      return plain(node, relevance, path);
    case Treatment::Kind::pass:
      return pass(treatment, context);
    case Treatment::Kind::norm:
      return norm(treatment, node, relevance, path);
    case Treatment::Kind::linear:
      if (is_plain(*treatment.rule)) return norm(treatment, node, relevance, path);
      return linear(*treatment.rule, context);
    case Treatment::Kind::cells:
      require_rule(treatment, context);
      return through_cells(std::get<graph::Recurrent>(node.op), treatment.rule->stabilizer, losses_,
                           context);
    case Treatment::Kind::none:
      if ((std::holds_alternative<graph::Conv>(node.op) ||
           std::holds_alternative<graph::ConvTranspose>(node.op)) &&
          !is_constant(context, 1))
        refuse_computed(context, 1);
      context.fail(ErrorCode::unsupported,
                   "layer-wise relevance propagation has no rule for this operator");
  }
}

BackwardReads RelevancePass::reads_of(const graph::Node& node,
                                      const std::vector<bool>& path) const {
  return rules_.reads(node, wanted_inputs(node, path));
}

void RelevancePass::plain(const graph::Node& node, Gradients& relevance,
                          const std::vector<bool>& path) {
  const auto reads = reads_of(node, path);
  BackwardContext context(b_, node, relevance, path, reads);
  if (!concatenates_constants(context)) {
    backward(context);
    return;
  }
  Gradients sent(b_);
  for (const auto output : node.outputs)
    if (relevance.has(output)) {
      sent.add(output, relevance.get(output));
      losses_.add_sum(relevance.get(output), b_.graph().value(output).shape, 1);
    }
  BackwardContext apart(b_, node, sent, path, reads);
  backward(apart);
  for (const auto input : node.inputs) {
    if (!input || !sent.has(input)) continue;
    losses_.add_sum(sent.get(input), b_.graph().value(input).shape, -1);
    relevance.add(input, sent.get(input));
  }
}

void RelevancePass::pass(const Treatment& treatment, BackwardContext& c) {
  require_rule(treatment, c);
  for (std::size_t i = 0; i < 2 && i < c.inputs(); ++i) {
    if ((treatment.to >> i & 1u) == 0 || !c.wants(i)) continue;
    Operand part = scaled_by(b_, c.grad(), treatment.share);
    if (c.in_shape(i) != c.out_shape()) part = reduce_to(b_, part, c.out_shape(), c.in_shape(i));
    c.send(i, part);
  }
}

/// Also the plain rule of linear layers, whose bias is then part of y.
void RelevancePass::norm(const Treatment& treatment, const graph::Node& node, Gradients& relevance,
                         const std::vector<bool>& path) {
  const bool is_layer = treatment.rule != nullptr;
  if (!is_layer) require_rule(treatment, {b_, node, relevance, path, {}});
  std::vector<bool> to = path;
  bool with_constant = false;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i]) continue;
    if ((treatment.to >> i & 1u) == 0) to[static_cast<std::size_t>(node.inputs[i].index)] = false;
    with_constant = with_constant || (!is_layer && b_.graph().value(node.inputs[i]).constant);
  }
  const auto reads = reads_of(node, path);
  BackwardContext c(b_, node, relevance, to, reads);
  Losses::Division division;
  division.scale = treatment.share;
  division.stabilizer = is_layer ? treatment.rule->stabilizer : kStabilizer;
  if (is_layer) {
    division.bias = replaced_bias(c, {});
    division.channels_last = std::holds_alternative<graph::Gemm>(node.op) ||
                             std::holds_alternative<graph::MatMul>(node.op);
  }
  const Shape& shape = c.out_shape();
  const Operand y = c.dst();
  const Operand s = losses_.divide(c.grad(), y, shape, division);
  Gradients shares(b_);
  shares.add(node.outputs[0], s);
  BackwardContext apart(b_, node, shares, to, reads);
  backward(apart);
  const bool absorbs = with_constant && std::holds_alternative<graph::Binary>(node.op);
  if (absorbs) losses_.add_sum(product_of(b_, b_.f32(y), s), shape, 1);
  std::vector<graph::ValueId> sent;
  for (const auto input : node.inputs) {
    if (!input || !shares.has(input) || std::find(sent.begin(), sent.end(), input) != sent.end())
      continue;
    sent.push_back(input);
    const Operand part = product_of(b_, b_.f32(b_.value(input)), shares.get(input));
    if (absorbs) losses_.add_sum(part, b_.graph().value(input).shape, -1);
    relevance.add(input, part);
  }
}

void RelevancePass::linear(const LinearRule& rule, BackwardContext& c) {
  const auto& op = c.node().op;
  if (const auto* conv = std::get_if<graph::Conv>(&op)) return by_rule(*conv, rule, c);
  if (const auto* conv = std::get_if<graph::ConvTranspose>(&op)) return by_rule(*conv, rule, c);
  if (const auto* gemm = std::get_if<graph::Gemm>(&op)) return by_rule(*gemm, rule, c);
  if (const auto* matmul = std::get_if<graph::MatMul>(&op)) return by_rule(*matmul, rule, c);
}

template <class Op>
void RelevancePass::by_rule(const Op& op, const LinearRule& given, BackwardContext& c) {
  if (!c.wants(0)) return;
  const auto input = c.node().inputs[0];
  const bool positive = rules_.non_negative(input);
  const LinearRule rule = positive ? on_non_negative(given) : given;
  const Shape& in_shape = c.in_shape(0);
  const Operand relevance = c.grad();
  // Only constants may stand in the place of an input that the forward pass does not keep.
  const auto reads = rules_.reads(c.node(), 1);
  const Operand x = reads.inputs != 0 ? c.f32_in(0) : Operand();
  std::vector<Reached> inputs;  // each replaced input once
  const auto place_of = [&](const Substitute& form) -> std::size_t {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].input == form) return i;
    inputs.push_back({form, {}});
    return inputs.size() - 1;
  };
  std::vector<Operand> replaced;
  const auto replaced_at = [&](std::size_t i) {
    if (replaced.size() <= i) replaced.resize(i + 1);
    if (!replaced[i]) replaced[i] = replaced_input(b_, x, in_shape, inputs[i].input);
    return replaced[i];
  };
  const bool product = std::is_same_v<Op, graph::Gemm> || std::is_same_v<Op, graph::MatMul>;
  for (const auto& group : rule.groups) {
    if (group.terms.empty()) continue;
    const bool no_bias = group.bias == Substitute{.positive = 0, .negative = 0};
    const Operand bias = no_bias ? Operand() : replaced_bias(c, group.bias);
    Operand z;
    for (const auto& term : group.terms) {
      const Operand part =
          apply(op, c, replaced_at(place_of(term.input)), term.weights, z ? Operand() : bias, z);
      z = z && !same_place(z, part) ? sum_of(b_, z, part) : part;
    }
    const Operand s = losses_.divide(relevance, z, c.out_shape(),
                                     {.scale = group.scale,
                                      .stabilizer = rule.stabilizer,
                                      .bias = bias,
                                      .channels_last = product,
                                      .side = group.side != 0 ? c.dst() : Operand(),
                                      .which = group.side});
    for (const auto& term : group.terms) {
      auto& share = inputs[place_of(term.input)].share;
      const Operand part = transpose(op, c, s, term.weights, share);
      share = share && !same_place(share, part) ? sum_of(b_, share, part) : part;
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& form = inputs[i].input;
    const Operand& share = inputs[i].share;
    const bool scales = form.kind == Substitute::Kind::constant;
    c.send(0, scales ? scaled_by(b_, share, form.value)
                     : product_of(b_, b_.f32(replaced_at(i)), share));
  }
}

}  // namespace fovea::engine
