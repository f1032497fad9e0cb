#include <utility>

#include "passes/rewrite.hpp"

//   Conv(x, w, b) -> y;  Add(y, z) -> s;  Relu(s) -> r
//   Conv(x, w, b, z){+ z, relu} -> r          in the place of the last node, where z is computed
//
//   BatchNorm(x) -> y;  Relu(y) -> r          likewise, where no convolution took the norm
//
// Add and activation are each optional. y and s must have no other reader and need not stay.
namespace fovea::passes {
namespace {

using graph::BatchNorm;
using graph::Binary;
using graph::BinaryKind;
using graph::Conv;
using graph::Gemm;
using graph::MatMul;
using graph::Node;
using graph::NodeId;
using graph::PostOp;
using graph::PostOps;
using graph::Unary;
using graph::UnaryKind;
using graph::ValueId;

bool is_activation(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::relu:
    case UnaryKind::leaky_relu:
    case UnaryKind::clip:
    case UnaryKind::elu:
    case UnaryKind::sigmoid:
    case UnaryKind::hard_swish:
    case UnaryKind::tanh:
    case UnaryKind::mish:
    case UnaryKind::gelu:
    case UnaryKind::gelu_tanh:
    case UnaryKind::silu:
      return true;
    case UnaryKind::identity:
    case UnaryKind::selu:
    case UnaryKind::celu:
    case UnaryKind::hard_sigmoid:
    case UnaryKind::softplus:
    case UnaryKind::softsign:
    case UnaryKind::erf:
    case UnaryKind::sqrt:
    case UnaryKind::exp:
    case UnaryKind::log:
    case UnaryKind::abs:
    case UnaryKind::neg:
    case UnaryKind::reciprocal:
    case UnaryKind::floor:
    case UnaryKind::ceil:
    case UnaryKind::round:
    case UnaryKind::sign:
    case UnaryKind::sin:
    case UnaryKind::cos:
    case UnaryKind::tan:
    case UnaryKind::asin:
    case UnaryKind::acos:
    case UnaryKind::atan:
    case UnaryKind::sinh:
    case UnaryKind::cosh:
    case UnaryKind::asinh:
    case UnaryKind::acosh:
    case UnaryKind::atanh:
    case UnaryKind::is_nan:
    case UnaryKind::is_inf:
    case UnaryKind::logical_not:
      break;
  }
  return false;
}

PostOps* post_ops(Node& node) {
  if (auto* op = std::get_if<Conv>(&node.op)) return &op->post;
  if (auto* op = std::get_if<Gemm>(&node.op)) return &op->post;
  if (auto* op = std::get_if<MatMul>(&node.op)) return &op->post;
  if (auto* op = std::get_if<BatchNorm>(&node.op)) return &op->post;
  return nullptr;
}

/// How many inputs the op itself has; what post-ops read stands behind them.
std::size_t own_inputs(const Node& node) {
  return std::holds_alternative<MatMul>(node.op) ? 2 : 3;
}

class Fuse {
 public:
  Fuse(graph::Graph& graph, const Keep& keep) : rewrite_(graph, keep) {}

  bool run() {
    // From the end: of two convolutions that an Add joins, the later one takes it.
    for (auto n = rewrite_.graph().nodes().size(); n-- > 0;) {
      const NodeId id{static_cast<std::int32_t>(n)};
      if (!rewrite_.is_dead(id)) fuse_into(id);
    }
    return rewrite_.finish();
  }

 private:
  Node& node(NodeId id) { return rewrite_.graph().node(id); }

  void fuse_into(NodeId id) {
    auto* post = post_ops(node(id));
    if (post == nullptr || !post->empty()) return;
    auto last = id;
    PostOps steps;
    const bool norm = std::holds_alternative<BatchNorm>(node(id).op);
    if (const auto other = norm ? ValueId{} : added_to(last)) {
      const auto at = own_inputs(node(id));
      steps.push_back(
          {.kind = PostOp::Kind::add_input, .unary = {}, .input = static_cast<int>(at)});
      node(id).inputs.resize(at);
      node(id).inputs.push_back(other);
    }
    if (const auto* activation = activation_of(last, norm))
      steps.push_back({.kind = PostOp::Kind::unary, .unary = *activation, .input = 0});
    if (steps.empty()) return;

    Node fused = std::move(node(id));
    *post_ops(fused) = std::move(steps);
    const auto result = node(last).outputs[0];
    rewrite_.kill(id);
    rewrite_.revive(last);
    rewrite_.graph().value(fused.outputs[0]).producer = {};
    fused.outputs = {result};
    node(last) = std::move(fused);
  }

  /// The other operand of the Add that alone reads the value of `last`; moves `last` to the Add.
  ValueId added_to(NodeId& last) {
    const auto y = node(last).outputs[0];
    const auto reader = rewrite_.only_reader(y);
    const auto* op = reader ? std::get_if<Binary>(&node(reader).op) : nullptr;
    if (op == nullptr || op->kind != BinaryKind::add) return {};
    const auto other = node(reader).inputs[node(reader).inputs[0] == y ? 1 : 0];
    // A constant may be wanted in another layout than the result: left to the Add.
    if (rewrite_.value(other).constant || rewrite_.value(other).shape != rewrite_.value(y).shape)
      return {};
    rewrite_.kill(reader);
    last = reader;
    return other;
  }

  /// The activation that alone reads the value of `last`; moves `last` to it.
  const Unary* activation_of(NodeId& last, bool only_relu) {
    const auto reader = rewrite_.only_reader(node(last).outputs[0]);
    const auto* op = reader ? std::get_if<Unary>(&node(reader).op) : nullptr;
    if (op == nullptr || !is_activation(op->kind)) return nullptr;
    if (only_relu && op->kind != UnaryKind::relu) return nullptr;
    rewrite_.kill(reader);
    last = reader;
    return op;
  }

  Rewrite rewrite_;
};

}  // namespace

bool fuse_post_ops(graph::Graph& graph, const Keep& keep) {
  return Fuse(graph, keep).run();
}

}  // namespace fovea::passes
