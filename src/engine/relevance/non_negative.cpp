#include "engine/relevance/non_negative.hpp"

#include <algorithm>

namespace fovea::engine {
namespace {

using graph::BinaryKind;
using graph::PostOps;
using graph::ReduceKind;
using graph::UnaryKind;

bool is_non_negative(const graph::Unary& op, bool argument) {
  switch (op.kind) {
    case UnaryKind::relu:
    case UnaryKind::sigmoid:
    case UnaryKind::hard_sigmoid:
    case UnaryKind::softplus:
    case UnaryKind::exp:
    case UnaryKind::abs:
    case UnaryKind::sqrt:
      return true;
    case UnaryKind::clip:
      return op.alpha >= 0 || (argument && op.beta >= 0);
    case UnaryKind::identity:
    case UnaryKind::leaky_relu:
    case UnaryKind::elu:
    case UnaryKind::selu:
    case UnaryKind::celu:
    case UnaryKind::silu:
    case UnaryKind::hard_swish:
    case UnaryKind::gelu:
    case UnaryKind::gelu_tanh:
    case UnaryKind::mish:
    case UnaryKind::tanh:
    case UnaryKind::softsign:
      return argument;
    default:
      return false;
  }
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
  bool every() const {
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](graph::ValueId id) { return !id || is(id); });
  }

  bool operator()(const graph::Unary& op) const { return is_non_negative(op, first()); }
  bool operator()(const graph::Binary& op) const {
    switch (op.kind) {
      case BinaryKind::max:
        return first() || is(node.inputs[1]);
      case BinaryKind::add:
      case BinaryKind::mul:
      case BinaryKind::div:
      case BinaryKind::min:
        return every();
      default:
        return false;
    }
  }
  bool operator()(const graph::Conv& op) const { return ends_non_negative(op.post); }
  bool operator()(const graph::Gemm& op) const { return ends_non_negative(op.post); }
  bool operator()(const graph::MatMul& op) const { return ends_non_negative(op.post); }
  bool operator()(const graph::BatchNorm& op) const { return ends_non_negative(op.post); }
  bool operator()(const graph::Softmax& op) const { return !op.log; }
  bool operator()(const graph::Reduce& op) const {
    return op.kind != ReduceKind::arg_max && op.kind != ReduceKind::log_sum_exp && first();
  }
  bool operator()(const graph::Pad& op) const { return first() && op.value.value_or(0) >= 0; }
  bool operator()(const graph::Concat&) const { return every(); }
  bool operator()(const graph::Pool&) const { return first(); }
  bool operator()(const graph::Lrn&) const { return first(); }
  bool operator()(const graph::Split&) const { return first(); }
  bool operator()(const graph::Slice&) const { return first(); }
  bool operator()(const graph::Reshape&) const { return first(); }
  bool operator()(const graph::Transpose&) const { return first(); }
  bool operator()(const graph::Expand&) const { return first(); }
  bool operator()(const graph::Tile&) const { return first(); }
  bool operator()(const graph::Gather&) const { return first(); }
  bool operator()(const graph::Resize&) const { return first(); }
  bool operator()(const graph::DepthToSpace&) const { return first(); }
  bool operator()(const graph::SpaceToDepth&) const { return first(); }
  template <class Op>
  bool operator()(const Op&) const {
    return false;
  }
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
