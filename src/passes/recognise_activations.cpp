#include <cmath>
#include <utility>

#include "passes/rewrite.hpp"

// Exporters write these functions as products:
//
//   silu         x sigmoid(a x)                      hard_swish  x hard_sigmoid(x)
//   mish         x tanh(softplus(x))                             x clip(x + 3, 0, 6) / 6
//   gelu         x (1 + erf(x / sqrt 2)) / 2         hard_sigmoid  clip(x + 3, 0, 6) / 6
//   gelu_tanh    x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
//
// in any order and nesting of the factors. The whole product becomes one Unary.
namespace fovea::passes {
namespace {

using graph::Binary;
using graph::BinaryKind;
using graph::Node;
using graph::Unary;
using graph::UnaryKind;
using graph::ValueId;

/// As written in f32. Constants that were rounded to f16 compute another function: left alone.
bool close(double a, double b) {
  return std::fabs(a - b) <= 1e-5 * std::fabs(b);
}

/// Most factors of a product that is looked at.
constexpr std::size_t kMaxFactors = 6;

/// factor * terms[0] * terms[1] ...
struct Product {
  double factor = 1;
  std::vector<ValueId> terms;
};

class Recognise {
 public:
  Recognise(graph::Graph& graph, const Keep& keep) : rewrite_(graph, keep) {}

  bool run() {
    bool changed = false;
    // From the end: the largest product is seen before its parts.
    for (auto n = rewrite_.graph().nodes().size(); n-- > 0;) {
      const graph::NodeId id{static_cast<std::int32_t>(n)};
      if (rewrite_.is_dead(id) || !is_product(rewrite_.graph().node(id))) continue;
      swallowed_.clear();
      ValueId x;
      const auto found = match(rewrite_.graph().node(id), x);
      if (!found) continue;
      auto& node = rewrite_.graph().node(id);
      if (rewrite_.value(x).shape != rewrite_.value(node.outputs[0]).shape) continue;
      node.op = *found;
      node.inputs = {x};
      for (const auto inner : swallowed_) rewrite_.kill(inner);
      changed = true;
    }
    rewrite_.finish();
    return changed;
  }

 private:
  /// Mul, or Div by a number.
  bool is_product(const Node& node) const {
    const auto* binary = std::get_if<Binary>(&node.op);
    if (binary == nullptr) return false;
    if (binary->kind == BinaryKind::mul) return true;
    return binary->kind == BinaryKind::div && rewrite_.scalar(node.inputs[1]).has_value();
  }

  /// The node behind a value that only the pattern reads; remembered as swallowed.
  const Node* enter(ValueId id) {
    const auto* node = rewrite_.inner_producer(id);
    if (node != nullptr) swallowed_.push_back(rewrite_.value(id).producer);
    return node;
  }

  const Node* enter(ValueId id, UnaryKind kind) {
    const auto* node = rewrite_.inner_producer(id);
    const auto* unary = node == nullptr ? nullptr : std::get_if<Unary>(&node->op);
    return unary != nullptr && unary->kind == kind ? enter(id) : nullptr;
  }

  const Node* enter(ValueId id, BinaryKind kind) {
    const auto* node = rewrite_.inner_producer(id);
    const auto* binary = node == nullptr ? nullptr : std::get_if<Binary>(&node->op);
    return binary != nullptr && binary->kind == kind ? enter(id) : nullptr;
  }

  Product product_of(const Node& root) {
    Product out;
    std::vector<const Node*> open{&root};
    while (!open.empty()) {
      const auto* node = open.back();
      open.pop_back();
      const bool divides = std::get<Binary>(node->op).kind == BinaryKind::div;
      for (std::size_t i = 0; i < 2; ++i) {
        const auto id = node->inputs[i];
        if (const auto number = rewrite_.scalar(id)) {
          out.factor *= divides && i == 1 ? 1 / *number : *number;
          continue;
        }
        const auto* inner = rewrite_.inner_producer(id);
        if (inner != nullptr && is_product(*inner) && open.size() + out.terms.size() < kMaxFactors)
          open.push_back(enter(id));
        else
          out.terms.push_back(id);
      }
    }
    return out;
  }

  /// The product that `id` is, of one term where it is none.
  Product product_at(ValueId id) {
    const auto* node = rewrite_.inner_producer(id);
    if (node == nullptr || !is_product(*node)) return {1, {id}};
    return product_of(*enter(id));
  }

  /// k where `id` is k x.
  std::optional<double> multiple_of(ValueId id, ValueId x) {
    if (id == x) return 1.0;
    const auto product = product_at(id);
    if (product.terms.size() != 1 || product.terms[0] != x) return std::nullopt;
    return product.factor;
  }

  /// The other operand of a sum with a number close to `number`.
  ValueId plus(ValueId id, double number) {
    const auto* node = enter(id, BinaryKind::add);
    if (node == nullptr) return {};
    for (std::size_t i = 0; i < 2; ++i) {
      const auto constant = rewrite_.scalar(node->inputs[i]);
      if (constant && close(*constant, number)) return node->inputs[1 - i];
    }
    return {};
  }

  std::optional<Unary> match(const Node& root, ValueId& x) {
    const auto product = product_of(root);
    if (product.terms.size() == 1) {
      x = relu6_plus_3(product.terms[0]);
      if (x && close(product.factor, 1.0 / 6)) return hard_sigmoid();
      return std::nullopt;
    }
    if (product.terms.size() != 2) return std::nullopt;
    const auto before = swallowed_;
    for (std::size_t i = 0; i < 2; ++i) {
      swallowed_ = before;
      x = product.terms[i];
      if (auto found = gate(x, product.terms[1 - i], product.factor)) return found;
    }
    return std::nullopt;
  }

  /// Which function is factor * x * gate?
  std::optional<Unary> gate(ValueId x, ValueId gate, double factor) {
    const auto before = swallowed_;
    const auto again = [&] { swallowed_ = before; };
    if (close(factor, 1)) {
      if (const auto* node = enter(gate, UnaryKind::sigmoid))
        if (const auto k = multiple_of(node->inputs[0], x))
          return Unary{.kind = UnaryKind::silu, .alpha = static_cast<float>(*k)};
      again();
      if (const auto* node = enter(gate, UnaryKind::hard_sigmoid)) {
        const auto& unary = std::get<Unary>(node->op);
        if (node->inputs[0] == x && close(unary.alpha, 1.0 / 6) && close(unary.beta, 0.5))
          return Unary{.kind = UnaryKind::hard_swish};
      }
      again();
      if (const auto* tanh = enter(gate, UnaryKind::tanh))
        if (const auto* softplus = enter(tanh->inputs[0], UnaryKind::softplus))
          if (softplus->inputs[0] == x) return Unary{.kind = UnaryKind::mish};
      again();
    }
    if (close(factor, 1.0 / 6) && relu6_plus_3(gate) == x)
      return Unary{.kind = UnaryKind::hard_swish};
    again();
    if (!close(factor, 0.5)) return std::nullopt;
    const auto inner = plus(gate, 1);
    if (!inner) return std::nullopt;
    if (const auto* erf = enter(inner, UnaryKind::erf)) {
      const auto k = multiple_of(erf->inputs[0], x);
      if (k && close(*k, std::sqrt(0.5))) return Unary{.kind = UnaryKind::gelu};
    } else if (const auto* tanh = enter(inner, UnaryKind::tanh)) {
      if (is_tanh_argument(tanh->inputs[0], x)) return Unary{.kind = UnaryKind::gelu_tanh};
    }
    return std::nullopt;
  }

  /// x where `id` is clip(x + 3, 0, 6).
  ValueId relu6_plus_3(ValueId id) {
    const auto* node = enter(id, UnaryKind::clip);
    if (node == nullptr) return {};
    const auto& clip = std::get<Unary>(node->op);
    return clip.alpha == 0 && clip.beta == 6 ? plus(node->inputs[0], 3) : ValueId{};
  }

  /// sqrt(2 / pi) (x + 0.044715 x^3), also as sqrt(2 / pi) x (1 + 0.044715 x^2).
  bool is_tanh_argument(ValueId id, ValueId x) {
    constexpr double kCubic = 0.044715;
    const auto outer = product_at(id);
    if (!close(outer.factor, std::sqrt(2 / std::acos(-1.0)))) return false;
    if (outer.terms.size() == 1) {
      const auto* sum = enter(outer.terms[0], BinaryKind::add);
      if (sum == nullptr) return false;
      for (std::size_t i = 0; i < 2; ++i)
        if (sum->inputs[i] == x) return is_power(sum->inputs[1 - i], x, kCubic, 3);
      return false;
    }
    if (outer.terms.size() != 2) return false;
    for (std::size_t i = 0; i < 2; ++i)
      if (outer.terms[i] == x) {
        const auto rest = plus(outer.terms[1 - i], 1);
        return rest && is_power(rest, x, kCubic, 2);
      }
    return false;
  }

  /// Is `id` factor x^exponent, by Pow or by products?
  bool is_power(ValueId id, ValueId x, double factor, int exponent) {
    const auto product = product_at(id);
    int count = 0;
    for (const auto term : product.terms) {
      if (term == x) {
        ++count;
        continue;
      }
      const auto* pow = enter(term, BinaryKind::pow);
      const auto power = pow == nullptr ? std::nullopt : rewrite_.scalar(pow->inputs[1]);
      if (!power || (*power != 2 && *power != 3) || pow->inputs[0] != x) return false;
      count += static_cast<int>(*power);
    }
    return count == exponent && close(product.factor, factor);
  }

  static Unary hard_sigmoid() {
    return {.kind = UnaryKind::hard_sigmoid, .alpha = 1.0f / 6, .beta = 0.5f};
  }

  Rewrite rewrite_;
  std::vector<graph::NodeId> swallowed_;
};

}  // namespace

bool recognise_activations(graph::Graph& graph, const Keep& keep) {
  return Recognise(graph, keep).run();
}

}  // namespace fovea::passes
