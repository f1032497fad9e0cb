#include "engine/relevance/non_negative.hpp"

#include <algorithm>

#include "graph/op_traits.hpp"

namespace fovea::engine {
namespace {

using graph::PostOps;

bool is_non_negative(const graph::Unary& op, bool argument) {
  switch (graph::trait::arithmetic(op).sign) {
    case graph::trait::never_negative:
      return true;
    case graph::trait::as_first_is:
    case graph::trait::as_any_is:
    case graph::trait::as_all_are:
      return argument;
    case graph::trait::sign_by_fields:  // clip
      return op.alpha >= 0 || (argument && op.beta >= 0);
    case graph::trait::any_sign:
      break;
  }
  return false;
}

/// Constants of more elements are not looked at.
constexpr std::size_t kLargest = 65536;

/// What ends in an activation.
bool ends_non_negative(const PostOps& post) {
  return !post.empty() && post.back().kind == graph::PostOp::Kind::unary &&
         is_non_negative(post.back().unary, false);
}

/// What is known of the values so far, and of a node's results from its inputs.
struct NonNegative {
  const graph::Graph& graph;
  const graph::Node& node;
  const std::vector<bool>& known;

  bool is(graph::ValueId id) const {
    const auto& value = graph.value(id);
    if (known[static_cast<std::size_t>(id.index)]) return true;
    if (!value.constant || value.type != graph::DType::f32 || value.constant->size() > kLargest)
      return false;
    const auto floats = value.constant->floats();
    return std::all_of(floats.data.begin(), floats.data.end(), [](float v) { return v >= 0; });
  }
  bool first() const { return is(node.inputs[0]); }
  bool any() const {
    return std::any_of(node.inputs.begin(), node.inputs.end(),
                       [&](graph::ValueId id) { return id && is(id); });
  }
  bool every() const {
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](graph::ValueId id) { return !id || is(id); });
  }

  template <class Operator>
  bool operator()(const Operator& op) const {
    constexpr bool has_own = graph::trait::of_any_kind<Operator>(
        [](const auto& of) { return of.sign == graph::trait::sign_by_fields; });
    switch (graph::trait::arithmetic(op).sign) {
      case graph::trait::never_negative:
        return true;
      case graph::trait::as_first_is:
        return first();
      case graph::trait::as_any_is:
        return any();
      case graph::trait::as_all_are:
        return every();
      case graph::trait::sign_by_fields:
        if constexpr (has_own) return by_fields(op);
        break;
      case graph::trait::any_sign:
        break;
    }
    return false;
  }

  bool by_fields(const graph::Unary& op) const { return is_non_negative(op, first()); }
  bool by_fields(const graph::Conv& op) const { return ends_non_negative(op.post); }
  bool by_fields(const graph::Gemm& op) const { return ends_non_negative(op.post); }
  bool by_fields(const graph::MatMul& op) const { return ends_non_negative(op.post); }
  bool by_fields(const graph::BatchNorm& op) const { return ends_non_negative(op.post); }
  bool by_fields(const graph::Softmax& op) const { return !op.log; }
  /// A cubic kernel has negative weights.
  bool by_fields(const graph::Resize& op) const {
    return first() && op.mode != graph::ResizeMode::cubic && op.extrapolation >= 0;
  }
  bool by_fields(const graph::Pad& op) const { return first() && op.value.value_or(0) >= 0; }
};

}  // namespace

std::vector<bool> non_negative_values(const graph::Graph& graph) {
  std::vector<bool> known(graph.values().size(), false);
  for (const auto& node : graph.nodes()) {
    const bool result =
        !node.inputs.empty() && std::visit(NonNegative{graph, node, known}, node.op);
    if (result)
      for (const auto output : node.outputs) known[static_cast<std::size_t>(output.index)] = true;
  }
  return known;
}

}  // namespace fovea::engine
