#include "graph/query/activation.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "graph/query.hpp"
#include "graph/query/edges.hpp"

namespace fovea::graph::detail {
namespace {

using Kind = Activation::Kind;

class Spelling {
 public:
  explicit Spelling(const Graph& graph) : graph_(graph) {}

  std::optional<Activation> of(ValueId id) const {
    const auto* node = producer(graph_, id);
    if (node == nullptr) return std::nullopt;
    if (const auto* softmax = std::get_if<Softmax>(&node->op)) return of_operator(*softmax, *node);
    if (const auto* unary = std::get_if<Unary>(&node->op)) return of_unary(*unary, *node);
    if (const auto* binary = std::get_if<Binary>(&node->op)) {
      if (binary->kind == BinaryKind::sub) return log_softmax(node->inputs[0], node->inputs[1]);
      if (const auto ratio = ratio_of(id)) return of_ratio(ratio->first, ratio->second);
    }
    return std::nullopt;
  }

 private:
  const Shape& shape(ValueId id) const { return graph_.value(id).shape; }
  ValueId plain(ValueId id) const {
    for (;;) {
      id = skip_copies(graph_, id);
      const auto* node = producer(graph_, id);
      if (node == nullptr || !is_float_cast(*node)) return id;
      id = node->inputs[0];
    }
  }
  bool is_float_cast(const Node& node) const {
    return std::holds_alternative<Cast>(node.op) &&
           graph_.value(node.inputs[0]).type == DType::f32 &&
           graph_.value(node.outputs[0]).type == DType::f32;
  }
  bool is_number(ValueId id, float number) const { return only_number(graph_, id) == number; }

  /// What is behind copies, if a node of this kind makes it.
  const Node* unary(ValueId id, UnaryKind kind) const {
    const auto* node = producer(graph_, plain(id));
    const auto* op = node == nullptr ? nullptr : std::get_if<Unary>(&node->op);
    return op != nullptr && op->kind == kind ? node : nullptr;
  }
  const Node* binary(ValueId id, BinaryKind kind) const {
    const auto* node = producer(graph_, plain(id));
    const auto* op = node == nullptr ? nullptr : std::get_if<Binary>(&node->op);
    return op != nullptr && op->kind == kind ? node : nullptr;
  }

  std::optional<Activation> of_operator(const Softmax& op, const Node& node) const {
    Activation out{op.log ? Kind::log_softmax : Kind::softmax, node.inputs[0], {op.axis}};
    const auto rank = static_cast<std::int64_t>(shape(node.inputs[0]).size());
    for (auto axis = op.axis + 1; op.flatten && axis < rank; ++axis) out.axes.push_back(axis);
    return out;
  }

  std::optional<Activation> of_unary(const Unary& op, const Node& node) const {
    const auto x = node.inputs[0];
    if (op.kind == UnaryKind::sigmoid) return Activation{Kind::sigmoid, x, {}};
    if (op.kind == UnaryKind::reciprocal) return sigmoid(x);
    return std::nullopt;
  }

  /// a / b, also as a product with b's reciprocal; a is none for 1 / b.
  std::optional<std::pair<ValueId, ValueId>> ratio_of(ValueId id) const {
    if (const auto* div = binary(id, BinaryKind::div))
      return std::pair(is_number(div->inputs[0], 1) ? ValueId{} : div->inputs[0], div->inputs[1]);
    if (const auto* pow = binary(id, BinaryKind::pow);
        pow != nullptr && is_number(pow->inputs[1], -1))
      return std::pair(ValueId{}, pow->inputs[0]);
    if (const auto* mul = binary(id, BinaryKind::mul))
      for (const auto& [a, b] :
           {std::pair(mul->inputs[0], mul->inputs[1]), std::pair(mul->inputs[1], mul->inputs[0])}) {
        if (const auto* inverse = unary(b, UnaryKind::reciprocal))
          return std::pair(a, inverse->inputs[0]);
        const auto* pow = binary(b, BinaryKind::pow);
        if (pow != nullptr && is_number(pow->inputs[1], -1)) return std::pair(a, pow->inputs[0]);
        const auto* div = binary(b, BinaryKind::div);
        if (div != nullptr && is_number(div->inputs[0], 1)) return std::pair(a, div->inputs[1]);
      }
    return std::nullopt;
  }

  std::optional<Activation> of_ratio(ValueId a, ValueId b) const {
    if (!a) return sigmoid(b);
    const auto* exp = unary(a, UnaryKind::exp);
    if (exp == nullptr) return std::nullopt;
    // e^x / (1 + e^x)
    if (const auto other = one_plus(b); other && plain(*other) == plain(a))
      return Activation{Kind::sigmoid, exp->inputs[0], {}};
    const auto axes = sums(b, a);
    if (!axes) return std::nullopt;
    return Activation{Kind::softmax, unshifted(exp->inputs[0], *axes), *axes};
  }

  /// Of 1 + x: x.
  std::optional<ValueId> one_plus(ValueId id) const {
    const auto* add = binary(id, BinaryKind::add);
    if (add == nullptr) return std::nullopt;
    if (is_number(add->inputs[0], 1)) return add->inputs[1];
    if (is_number(add->inputs[1], 1)) return add->inputs[0];
    return std::nullopt;
  }

  /// Of 1 / (1 + e^-x), given its denominator.
  std::optional<Activation> sigmoid(ValueId denominator) const {
    const auto power = one_plus(denominator);
    const auto* exp = power ? unary(*power, UnaryKind::exp) : nullptr;
    if (exp == nullptr) return std::nullopt;
    const auto x = exp->inputs[0];
    if (const auto* neg = unary(x, UnaryKind::neg))
      return Activation{Kind::sigmoid, neg->inputs[0], {}};
    if (const auto* sub = binary(x, BinaryKind::sub);
        sub != nullptr && is_number(sub->inputs[0], 0))
      return Activation{Kind::sigmoid, sub->inputs[1], {}};
    if (const auto* mul = binary(x, BinaryKind::mul)) {
      if (is_number(mul->inputs[1], -1)) return Activation{Kind::sigmoid, mul->inputs[0], {}};
      if (is_number(mul->inputs[0], -1)) return Activation{Kind::sigmoid, mul->inputs[1], {}};
    }
    return std::nullopt;
  }

  /// The reduction behind `id` where it lines up with `of` again: extents of 1 along its axes,
  /// those of `of` elsewhere.
  const Node* reduction(ValueId id, ValueId of) const {
    id = plain(id);
    const auto& whole = shape(of);
    if (const auto* expand = producer(graph_, id);
        expand != nullptr && std::holds_alternative<Expand>(expand->op) && shape(id) == whole)
      id = plain(expand->inputs[0]);
    const auto* node = producer(graph_, skip_views(graph_, id));
    const auto* reduce = node == nullptr ? nullptr : std::get_if<Reduce>(&node->op);
    if (reduce == nullptr || !reduce->axes || reduce->axes->empty() ||
        shape(node->inputs[0]) != whole)
      return nullptr;
    Shape wanted = whole;
    for (const auto axis : *reduce->axes) wanted[static_cast<std::size_t>(axis)] = 1;
    Shape lined(wanted.size() - std::min(wanted.size(), shape(id).size()), 1);
    lined.insert(lined.end(), shape(id).begin(), shape(id).end());
    return lined == wanted ? node : nullptr;
  }

  /// The value that is kept from being 0.
  ValueId unguarded(ValueId id) const {
    for (const auto kind : {BinaryKind::add, BinaryKind::max})
      if (const auto* node = binary(id, kind)) {
        if (is_rounding(graph_, node->inputs[1])) return node->inputs[0];
        if (is_rounding(graph_, node->inputs[0])) return node->inputs[1];
      }
    if (const auto* clip = unary(id, UnaryKind::clip)) {
      const auto& op = std::get<Unary>(clip->op);
      if (op.alpha <= kRounding && op.beta >= std::numeric_limits<float>::max())
        return clip->inputs[0];
    }
    return id;
  }

  /// The axes over which `sum` sums `terms`, which are positive.
  std::optional<Ints> sums(ValueId sum, ValueId terms) const {
    const auto* node = reduction(unguarded(sum), terms);
    if (node == nullptr || plain(node->inputs[0]) != plain(terms)) return std::nullopt;
    const auto& reduce = std::get<Reduce>(node->op);
    if (reduce.kind != ReduceKind::sum && reduce.kind != ReduceKind::l1) return std::nullopt;
    return *reduce.axes;
  }

  /// Of x less its maximum, which changes no softmax: x.
  ValueId unshifted(ValueId id, const Ints& axes) const {
    const auto* sub = binary(id, BinaryKind::sub);
    if (sub == nullptr || shape(sub->inputs[0]) != shape(id)) return id;
    const auto* node = reduction(sub->inputs[1], sub->inputs[0]);
    if (node == nullptr || plain(node->inputs[0]) != plain(sub->inputs[0])) return id;
    const auto& reduce = std::get<Reduce>(node->op);
    const bool covers =
        std::includes(reduce.axes->begin(), reduce.axes->end(), axes.begin(), axes.end());
    return reduce.kind == ReduceKind::max && covers ? sub->inputs[0] : id;
  }

  /// x - log(sum(e^x)).
  std::optional<Activation> log_softmax(ValueId x, ValueId total) const {
    const auto made = [&](const Ints& axes) {
      return Activation{Kind::log_softmax, unshifted(x, axes), axes};
    };
    if (const auto* node = reduction(total, x); node != nullptr) {
      if (std::get<Reduce>(node->op).kind == ReduceKind::log_sum_exp &&
          plain(node->inputs[0]) == plain(x))
        return made(*std::get<Reduce>(node->op).axes);
      return std::nullopt;
    }
    const auto* log = unary(total, UnaryKind::log);
    const auto* node = log == nullptr ? nullptr : reduction(log->inputs[0], x);
    if (node == nullptr || std::get<Reduce>(node->op).kind != ReduceKind::sum) return std::nullopt;
    const auto* exp = unary(node->inputs[0], UnaryKind::exp);
    if (exp == nullptr || plain(exp->inputs[0]) != plain(x)) return std::nullopt;
    return made(*std::get<Reduce>(node->op).axes);
  }

  const Graph& graph_;
};

bool is_view(const Graph& graph, const Node& node) {
  if (node.inputs.empty() || !node.inputs[0] || node.outputs.size() != 1) return false;
  if (graph.value(node.inputs[0]).type != graph.value(node.outputs[0]).type) return false;
  if (std::holds_alternative<Cast>(node.op)) return graph.value(node.inputs[0]).type == DType::f32;
  if (std::holds_alternative<Reshape>(node.op)) return true;
  if (std::holds_alternative<Transpose>(node.op)) return keeps_order(graph, node);
  return is_copy(graph, node);
}

}  // namespace

std::optional<Activation> activation_of(const Graph& graph, ValueId id) {
  auto out = Spelling(graph).of(id);
  if (out && graph.value(out->of).shape != graph.value(id).shape) return std::nullopt;
  return out;
}

std::optional<float> only_number(const Graph& graph, ValueId id) {
  const auto& constant = graph.value(id).constant;
  if (!constant || constant->type != DType::f32 || constant->size() == 0) return std::nullopt;
  constexpr std::size_t kFew = 1 << 16;  // weights are not read for this
  if (constant->size() > kFew) return std::nullopt;
  const auto numbers = constant->floats();
  const bool same =
      std::all_of(numbers.begin(), numbers.end(), [&](float v) { return v == numbers.front(); });
  return same ? std::optional(numbers.front()) : std::nullopt;
}

bool is_rounding(const Graph& graph, ValueId id) {
  const auto number = only_number(graph, id);
  return number && *number >= 0 && *number <= kRounding;
}

ValueId skip_views(const Graph& graph, ValueId id) {
  for (;;) {
    const auto* node = producer(graph, id);
    if (node == nullptr || !is_view(graph, *node)) return id;
    id = node->inputs[0];
  }
}

bool keeps_order(const Graph& graph, const Node& node) {
  const auto* transpose = std::get_if<Transpose>(&node.op);
  if (transpose == nullptr) return true;
  const auto& shape = graph.value(node.inputs[0]).shape;
  std::int64_t last = -1;
  for (const auto axis : transpose->perm) {
    if (shape[static_cast<std::size_t>(axis)] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

}  // namespace fovea::graph::detail
