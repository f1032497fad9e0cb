#include <algorithm>
#include <utility>

#include "base/checked.hpp"
#include "passes/rewrite.hpp"

// Before opset 17 exporters spelled layer normalisation out:
//
//   mean = ReduceMean(x)   d = x - mean   variance = ReduceMean(d d)
//   d / sqrt(variance + epsilon)  [* scale]  [+ bias]
//
// with both means over the same trailing axes. The whole becomes one LayerNorm.
namespace fovea::passes {
namespace {

using graph::Binary;
using graph::BinaryKind;
using graph::Constant;
using graph::Node;
using graph::NodeId;
using graph::Reduce;
using graph::ReduceKind;
using graph::Unary;
using graph::UnaryKind;
using graph::ValueId;

class Recognise {
 public:
  Recognise(graph::Graph& graph, const Keep& keep) : rewrite_(graph, keep) {}

  bool run() {
    bool changed = false;
    for (std::size_t n = 0; n < rewrite_.graph().nodes().size(); ++n) {
      const NodeId id{static_cast<std::int32_t>(n)};
      if (!rewrite_.is_dead(id)) changed = try_root(id) || changed;
    }
    rewrite_.finish();
    return changed;
  }

 private:
  const Node* binary(const Node* node, BinaryKind kind) const {
    const auto* op = node == nullptr ? nullptr : std::get_if<Binary>(&node->op);
    return op != nullptr && op->kind == kind ? node : nullptr;
  }
  const Node* unary(const Node* node, UnaryKind kind) const {
    const auto* op = node == nullptr ? nullptr : std::get_if<Unary>(&node->op);
    return op != nullptr && op->kind == kind ? node : nullptr;
  }

  /// The first of the trailing axes that a mean with kept extents goes over.
  std::optional<std::int64_t> mean_axis(const Node* node) const {
    const auto* op = node == nullptr ? nullptr : std::get_if<Reduce>(&node->op);
    if (op == nullptr || op->kind != ReduceKind::mean || !op->keep_dims || op->axes->empty())
      return std::nullopt;
    const auto rank = static_cast<std::int64_t>(rewrite_.value(node->inputs[0]).shape.size());
    const auto count = static_cast<std::int64_t>(op->axes->size());
    for (std::int64_t i = 0; i < count; ++i)
      if ((*op->axes)[static_cast<std::size_t>(i)] != rank - count + i) return std::nullopt;
    return rank - count;
  }

  /// Is every reader of the value one of the pattern's nodes, and may it go?
  bool only_read_by(ValueId id, std::initializer_list<const Node*> readers) const {
    if (rewrite_.is_protected(id)) return false;
    for (const auto reader : rewrite_.readers(id)) {
      const auto* node = &rewrite_.node(reader);
      if (std::find(readers.begin(), readers.end(), node) == readers.end()) return false;
    }
    return true;
  }

  /// d where the node computes d squared.
  ValueId squared(const Node* node) const {
    if (binary(node, BinaryKind::mul) != nullptr && node->inputs[0] == node->inputs[1])
      return node->inputs[0];
    if (binary(node, BinaryKind::pow) != nullptr && rewrite_.scalar(node->inputs[1]) == 2.0)
      return node->inputs[0];
    return {};
  }

  bool try_root(NodeId id) {
    const auto* divide = binary(&rewrite_.graph().node(id), BinaryKind::div);
    if (divide == nullptr) return false;
    const auto d = divide->inputs[0];
    const auto* root = unary(rewrite_.inner_producer(divide->inputs[1]), UnaryKind::sqrt);
    const auto* sum = root == nullptr
                          ? nullptr
                          : binary(rewrite_.inner_producer(root->inputs[0]), BinaryKind::add);
    if (sum == nullptr) return false;
    const std::size_t at = rewrite_.scalar(sum->inputs[1]) ? 0 : 1;
    const auto epsilon = rewrite_.scalar(sum->inputs[1 - at]);
    const auto* variance = rewrite_.inner_producer(sum->inputs[at]);
    const auto axis = mean_axis(variance);
    if (!epsilon || !(*epsilon >= 0) || !axis) return false;
    const auto* square = rewrite_.inner_producer(variance->inputs[0]);
    if (square == nullptr || squared(square) != d) return false;
    const auto* subtract = binary(rewrite_.producer(d), BinaryKind::sub);
    if (subtract == nullptr || !only_read_by(d, {divide, square})) return false;
    const auto x = subtract->inputs[0];
    const auto* mean = rewrite_.inner_producer(subtract->inputs[1]);
    if (mean_axis(mean) != axis || mean->inputs[0] != x) return false;
    // Were d not of x's shape, the mean would be over other extents.
    if (rewrite_.value(x).shape != rewrite_.value(divide->outputs[0]).shape) return false;

    for (const auto* node : {root, sum, variance, square, subtract, mean})
      rewrite_.kill(rewrite_.value(node->outputs[0]).producer);
    replace(id, x, *axis, static_cast<float>(*epsilon));
    return true;
  }

  /// Swallows a following Mul by a scale and Add of a bias where there are any.
  void replace(NodeId id, ValueId x, std::int64_t axis, float epsilon) {
    const auto& shape = rewrite_.value(x).shape;
    const Shape normalised(shape.begin() + axis, shape.end());
    auto last = id;
    const auto scale = swallow(last, BinaryKind::mul, normalised);
    const auto bias = swallow(last, BinaryKind::add, normalised);
    const auto origin = rewrite_.graph().node(id).outputs[0];
    const auto count = static_cast<std::size_t>(base::element_count(normalised));
    const auto scale_id = rewrite_.add_constant(
        origin, "scale",
        scale ? *scale : Constant::of_floats(normalised, std::vector<float>(count, 1.0f)));
    std::vector<ValueId> inputs{x, scale_id};
    if (bias) inputs.push_back(rewrite_.add_constant(origin, "bias", *bias));

    auto& node = rewrite_.graph().node(last);
    node.name = rewrite_.graph().node(id).name;
    node.op_type = "LayerNormalization";
    node.op = graph::LayerNorm{.axis = axis, .epsilon = epsilon};
    node.inputs = std::move(inputs);
  }

  /// The constant of the binary node behind `last`, as one number per normalised element; moves
  /// `last` on. None where no such node follows.
  std::optional<Constant> swallow(NodeId& last, BinaryKind kind, const Shape& normalised) {
    const auto out = rewrite_.graph().node(last).outputs[0];
    const auto reader = rewrite_.only_reader(out);
    const auto* node = reader ? binary(&rewrite_.graph().node(reader), kind) : nullptr;
    if (node == nullptr || rewrite_.value(node->outputs[0]).shape != rewrite_.value(out).shape)
      return std::nullopt;
    const std::size_t at = node->inputs[0] == out ? 1 : 0;
    const auto* constant = rewrite_.constant(*node, at);
    if (constant == nullptr) return std::nullopt;
    auto held = constant->shape;
    while (held.size() > normalised.size() && held.front() == 1) held.erase(held.begin());
    if (held != normalised) return std::nullopt;
    Constant found = *constant;
    found.shape = normalised;
    rewrite_.kill(last);
    last = reader;
    return found;
  }

  Rewrite rewrite_;
};

}  // namespace

bool recognise_layernorm(graph::Graph& graph, const Keep& keep) {
  return Recognise(graph, keep).run();
}

}  // namespace fovea::passes
