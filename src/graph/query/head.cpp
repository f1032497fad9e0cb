#include <algorithm>
#include <cmath>
#include <set>

#include "base/checked.hpp"
#include "graph/evaluate/evaluate.hpp"
#include "graph/op_traits.hpp"
#include "graph/query.hpp"
#include "graph/query/affine_map.hpp"
#include "graph/query/edges.hpp"

namespace fovea::graph {
namespace {

/// How many numbers per image, where at most one extent besides the batch is above 1.
std::optional<std::int64_t> vector_length(const Shape& shape, std::int64_t batch) {
  if (shape.size() < 2 || shape[0] != batch) return std::nullopt;
  std::int64_t length = 1;
  for (std::size_t d = 1; d < shape.size(); ++d) {
    if (shape[d] != 1 && length != 1) return std::nullopt;
    length *= shape[d];
  }
  return length;
}

/// Goes from the logits back to the pool.
class HeadSearch {
 public:
  HeadSearch(const Graph& graph, ValueId logits) : graph_(graph), at_(logits) {}

  std::optional<PoolLinearHead> run() {
    const auto& shape = graph_.value(at_).shape;
    if (shape.empty()) return std::nullopt;
    batch_ = shape[0];
    const auto classes = vector_length(shape, batch_);
    if (!classes) return std::nullopt;
    map_.emplace(*classes);
    // Each step moves to an earlier node: the search ends.
    for (;;) {
      const auto* node = detail::producer(graph_, at_);
      if (node == nullptr || node->inputs.empty() || node->outputs.size() != 1) return std::nullopt;
      auto pooled = pooled_map(*node);
      if (pooled) pooled = detail::skip_copies(graph_, *pooled);
      if (pooled && has_positions(*pooled)) return finish(*pooled);
      // A pool over a single position changes nothing.
      const bool stepped =
          pooled ? move(*node)
                 : std::visit([&](const auto& op) { return step_back(op, *node); }, node->op);
      if (!stepped || vector_length(graph_.value(at_).shape, batch_) !=
                          static_cast<std::int64_t>(map_->length()))
        return std::nullopt;
    }
  }

 private:
  bool has_positions(ValueId map) const {
    const auto& shape = graph_.value(map).shape;
    return std::any_of(shape.begin() + 2, shape.end(), [](std::int64_t e) { return e > 1; });
  }

  std::optional<PoolLinearHead> finish(ValueId map) {
    const auto& shape = graph_.value(map).shape;
    if (shape[0] != batch_ || shape[1] != static_cast<std::int64_t>(map_->length()))
      return std::nullopt;
    return map_->finish(map);
  }

  const Constant* floats(const Node& node, std::size_t i) const {
    if (i >= node.inputs.size() || !node.inputs[i]) return nullptr;
    const auto& constant = graph_.value(node.inputs[i]).constant;
    return constant && constant->type == DType::f32 ? &*constant : nullptr;
  }

  /// The constant as it adds to (or multiplies) the vector `at_`; none where images differ.
  std::optional<std::vector<double>> as_vector(const Constant& constant) const {
    Shape shape = graph_.value(at_).shape;
    shape[0] = 1;
    if (constant.shape.size() > shape.size() ||
        (constant.shape.size() == shape.size() && constant.shape[0] != 1))
      return std::nullopt;
    const auto read = detail::read(constant, detail::broadcast_view(constant.shape, shape), shape);
    const auto values = read.floats();
    return std::vector<double>(values.begin(), values.end());
  }

  std::vector<double> filled(double value) const {
    return std::vector<double>(map_->length(), value);
  }

  template <class Operator>
  bool step_back(const Operator& op, const Node& node) {
    if constexpr (trait::row<Operator>.head == trait::affine_head)
      return step(op, node);
    else
      return false;
  }

  bool move(const Node& node, std::size_t i = 0) {
    at_ = node.inputs[i];
    return true;
  }

  bool step(const Unary& op, const Node& node) {
    return op.kind == UnaryKind::identity && move(node);
  }
  bool step(const Reshape&, const Node& node) { return move(node); }
  bool step(const Transpose& op, const Node& node) { return op.perm[0] == 0 && move(node); }

  bool step(const Binary& op, const Node& node) {
    const std::size_t data = floats(node, 1) != nullptr ? 0 : 1;
    const auto* constant = floats(node, 1 - data);
    if (constant == nullptr) return false;
    auto vector = as_vector(*constant);
    if (!vector) return false;
    switch (op.kind) {
      case BinaryKind::add:
        map_->prepend(filled(1), *vector);
        return move(node, data);
      case BinaryKind::sub:
        if (data == 0)
          for (auto& v : *vector) v = -v;
        map_->prepend(filled(data == 0 ? 1 : -1), *vector);
        return move(node, data);
      case BinaryKind::mul:
        map_->prepend(*vector, filled(0));
        return move(node, data);
      case BinaryKind::div:
        if (data != 0) return false;
        for (auto& v : *vector) v = 1 / v;
        map_->prepend(*vector, filled(0));
        return move(node);
      case BinaryKind::pow:
      case BinaryKind::max:
      case BinaryKind::min:
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
        break;
    }
    return false;
  }

  bool step(const BatchNorm& op, const Node& node) {
    Floats p[4];
    for (std::size_t i = 0; i < 4; ++i) {
      const auto* constant = floats(node, i + 1);
      if (constant == nullptr || constant->size() != map_->length()) return false;
      p[i] = constant->floats();
    }
    std::vector<double> factor, offset;
    for (std::size_t k = 0; k < map_->length(); ++k) {
      const auto f = p[0][k] / std::sqrt(static_cast<double>(p[3][k]) + op.epsilon);
      factor.push_back(f);
      offset.push_back(p[1][k] - f * p[2][k]);
    }
    map_->prepend(factor, offset);
    return move(node);
  }

  /// The optional bias at input i, times `factor`; none where it is no constant vector.
  std::optional<std::vector<double>> bias(const Node& node, std::size_t i, double factor) const {
    if (i >= node.inputs.size() || !node.inputs[i]) return filled(0);
    const auto* constant = floats(node, i);
    if (constant == nullptr) return std::nullopt;
    std::optional<std::vector<double>> out;
    if (std::holds_alternative<Conv>(node.op)) {
      const auto values = constant->floats();
      out.emplace(values.begin(), values.end());
    } else {
      out = as_vector(*constant);
    }
    if (out)
      for (auto& v : *out) v *= factor;
    return out;
  }

  bool step(const Gemm& op, const Node& node) {
    const auto* b = floats(node, 1);
    const auto offset = bias(node, 2, op.beta);
    if (b == nullptr || !offset || op.trans_a || !op.post.empty()) return false;
    return matrix(*b, op.trans_b, op.alpha, *offset) && move(node);
  }

  bool step(const MatMul& op, const Node& node) {
    const auto* b = floats(node, 1);
    if (b == nullptr || b->shape.size() != 2 || !op.post.empty()) return false;
    // The matrix must work on the vector, not on an extent of 1 beside it.
    if (graph_.value(node.inputs[0]).shape.back() * batch_ !=
        base::element_count(graph_.value(node.inputs[0]).shape))
      return false;
    return matrix(*b, false, 1, filled(0)) && move(node);
  }

  bool step(const Conv& op, const Node& node) {
    const auto* w = floats(node, 1);
    const auto offset = bias(node, 2, 1);
    if (w == nullptr || !offset || op.group != 1 || !op.post.empty()) return false;
    const auto is = [](const Ints& list, std::int64_t n) {
      return std::all_of(list.begin(), list.end(), [n](std::int64_t v) { return v == n; });
    };
    if (!is(op.window.kernel, 1) || !is(op.window.pads_begin, 0) || !is(op.window.pads_end, 0))
      return false;
    return matrix(*w, true, 1, *offset) && move(node);
  }

  /// `rows_are_outputs`: [outputs, inputs] as in Conv, otherwise its transpose.
  bool matrix(const Constant& m, bool rows_are_outputs, double factor,
              const std::vector<double>& offset) {
    const auto outputs = m.shape[rows_are_outputs ? 0 : 1];
    const auto inputs = m.shape[rows_are_outputs ? 1 : 0];
    if (outputs != static_cast<std::int64_t>(map_->length())) return false;
    return map_->prepend_matrix(m, inputs, !rows_are_outputs, factor, offset);
  }

  /// What the node pools over all positions, channels first; none where it is no such pool.
  std::optional<ValueId> pooled_map(const Node& node) {
    if (const auto* pool = std::get_if<Pool>(&node.op)) {
      const auto& x = graph_.value(node.inputs[0]).shape;
      const bool whole = pool->kind == PoolKind::average &&
                         std::equal(x.begin() + 2, x.end(), pool->window.kernel.begin()) &&
                         is_unpadded(pool->window);
      return whole ? std::optional(node.inputs[0]) : std::nullopt;
    }
    return reduced_map(node);
  }

  static bool is_unpadded(const Window& window) {
    const auto zero = [](std::int64_t v) { return v == 0; };
    return std::all_of(window.pads_begin.begin(), window.pads_begin.end(), zero) &&
           std::all_of(window.pads_end.begin(), window.pads_end.end(), zero) &&
           std::all_of(window.dilations.begin(), window.dilations.end(),
                       [](std::int64_t v) { return v == 1; });
  }

  /// Means (or sums) over all positions, in one node or one axis after the other.
  std::optional<ValueId> reduced_map(const Node& last) {
    std::set<std::int64_t> reduced;
    double factor = 1;
    ValueId x = last.outputs[0];
    for (const auto* node = &last; node != nullptr; node = detail::producer(graph_, x)) {
      const auto* op = std::get_if<Reduce>(&node->op);
      if (op == nullptr || (op->kind != ReduceKind::mean && op->kind != ReduceKind::sum)) break;
      x = node->inputs[0];
      const auto& shape = graph_.value(x).shape;
      reduced = before(*op, reduced, shape.size());
      if (op->kind == ReduceKind::sum)
        for (const auto axis : *op->axes)
          factor *= static_cast<double>(shape[static_cast<std::size_t>(axis)]);
    }
    if (reduced.empty()) return std::nullopt;
    const auto map = channels_first_map(x, reduced);
    if (map) map_->scale_all(factor);
    return map;
  }

  /// The axes reduced by `op` and, given in terms of its output, by what follows it.
  static std::set<std::int64_t> before(const Reduce& op, const std::set<std::int64_t>& later,
                                       std::size_t rank) {
    std::set<std::int64_t> out(op.axes->begin(), op.axes->end());
    std::int64_t position = 0;
    for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(rank); ++axis) {
      const bool dropped = !op.keep_dims && out.contains(axis);
      if (dropped) continue;
      if (later.contains(position)) out.insert(axis);
      ++position;
    }
    return out;
  }

  std::optional<ValueId> channels_first_map(ValueId x, const std::set<std::int64_t>& reduced) {
    const auto covers = [&](std::int64_t begin, std::int64_t end) {
      const auto& shape = graph_.value(x).shape;
      for (std::int64_t d = 0; d < static_cast<std::int64_t>(shape.size()); ++d) {
        const bool spatial = d >= begin && d < end;
        if (reduced.contains(d) != spatial && shape[static_cast<std::size_t>(d)] != 1) return false;
      }
      return true;
    };
    const auto rank = static_cast<std::int64_t>(graph_.value(x).shape.size());
    if (rank < 3) return std::nullopt;
    if (!covers(2, rank)) {
      const auto* node = detail::producer(graph_, x);
      const auto* transpose = node == nullptr ? nullptr : std::get_if<Transpose>(&node->op);
      if (!covers(1, rank - 1) || transpose == nullptr || !detail::moves_channels_last(*transpose))
        return std::nullopt;
      x = node->inputs[0];
    }
    // Positions that were merged into one axis before they were pooled.
    const auto* node = detail::producer(graph_, x);
    if (node != nullptr && std::holds_alternative<Reshape>(node->op)) {
      const auto& from = graph_.value(node->inputs[0]).shape;
      const auto& to = graph_.value(x).shape;
      if (from.size() > to.size() && to.size() == 3 && from[0] == to[0] && from[1] == to[1])
        x = node->inputs[0];
    }
    return x;
  }

  const Graph& graph_;
  ValueId at_;
  std::int64_t batch_ = 1;
  std::optional<detail::AffineMap> map_;
};

}  // namespace

std::optional<PoolLinearHead> find_pool_linear_head(const Graph& graph, ValueId logits) {
  return HeadSearch(graph, logits).run();
}

}  // namespace fovea::graph
