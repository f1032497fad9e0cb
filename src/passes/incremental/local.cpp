#include "passes/incremental/local.hpp"

#include <algorithm>
#include <limits>

#include "base/checked.hpp"
#include "graph/op_traits.hpp"

namespace fovea::passes::detail {
namespace {

using graph::Ints;

bool all_zero(const Ints& values) {
  return std::all_of(values.begin(), values.end(), [](auto v) { return v == 0; });
}

std::vector<Reach> reach_of(const graph::Window& window) {
  std::vector<Reach> out;
  for (std::size_t d = 0; d < window.kernel.size(); ++d)
    out.push_back({window.kernel[d], window.strides[d], window.dilations[d], window.pads_begin[d]});
  return out;
}

graph::Window without_pads(graph::Window window) {
  std::fill(window.pads_begin.begin(), window.pads_begin.end(), 0);
  std::fill(window.pads_end.begin(), window.pads_end.end(), 0);
  return window;
}

struct Locality {
  const graph::Graph& graph;
  const graph::Node& node;

  const Shape& shape(std::size_t i) const { return graph.value(node.inputs[i]).shape; }
  const Shape& result() const { return graph.value(node.outputs[0]).shape; }
  bool is_constant(std::size_t i) const {
    return !node.inputs[i] || graph.value(node.inputs[i]).constant.has_value();
  }
  bool are_constant_from(std::size_t i) const {
    for (; i < node.inputs.size(); ++i)
      if (!is_constant(i)) return false;
    return true;
  }
  /// A constant that is the same at every position and of every image.
  bool is_per_channel(std::size_t i) const {
    const Shape& own = shape(i);
    const auto rank = static_cast<std::ptrdiff_t>(result().size());
    for (std::ptrdiff_t d = 1; d <= std::ssize(own); ++d)
      if (d != rank - 1 && own[own.size() - static_cast<std::size_t>(d)] != 1) return false;
    return is_constant(i);
  }
  std::optional<Local> elementwise() const {
    return Local{{0}, std::vector<Reach>(result().size() - 2), 0, node.op};
  }

  template <class Operator>
  std::optional<Local> operator()(const Operator& op) const {
    constexpr auto reach = graph::trait::row<Operator>.reach;
    if constexpr (reach == graph::trait::reach_by_fields)
      return by_fields(op);
    else
      return reach == graph::trait::reaches_one ? elementwise() : std::nullopt;
  }

  std::optional<Local> by_fields(const graph::Conv& op) const {
    if (!are_constant_from(1) || !op.post.empty()) return std::nullopt;
    auto open = op;
    open.window = without_pads(op.window);
    return Local{{0}, reach_of(op.window), 0, open};
  }
  std::optional<Local> by_fields(const graph::Pool& op) const {
    const bool padded = !all_zero(op.window.pads_begin) || !all_zero(op.window.pads_end);
    const bool is_max = op.kind == graph::PoolKind::max;
    if (op.kind == graph::PoolKind::arg_max) return std::nullopt;  // places in the whole map
    // An average that leaves out what is beyond the map has other divisors at the borders.
    if (!is_max && padded && !(op.count_include_pad && all_zero(op.ceil_extra)))
      return std::nullopt;
    auto open = op;
    open.window = without_pads(op.window);
    std::fill(open.ceil_extra.begin(), open.ceil_extra.end(), 0);
    const float fill = is_max ? std::numeric_limits<float>::lowest() : 0.f;
    return Local{{0}, reach_of(op.window), fill, open};
  }
  std::optional<Local> by_fields(const graph::BatchNorm& op) const {
    return are_constant_from(1) && op.post.empty() ? elementwise() : std::nullopt;
  }
  std::optional<Local> by_fields(const graph::PRelu&) const {
    return is_per_channel(1) ? elementwise() : std::nullopt;
  }
  std::optional<Local> by_fields(const graph::Binary&) const {
    Local out{{}, std::vector<Reach>(result().size() - 2), 0, node.op};
    for (std::size_t i = 0; i < 2; ++i) {
      if (is_per_channel(i)) continue;
      if (is_constant(i) || shape(i) != result()) return std::nullopt;
      out.data.push_back(i);
    }
    return out.data.empty() ? std::nullopt : std::optional(out);
  }
  std::optional<Local> by_fields(const graph::Concat& op) const {
    if (op.axis != 1) return std::nullopt;
    Local out{{}, std::vector<Reach>(result().size() - 2), 0, node.op};
    for (std::size_t i = 0; i < node.inputs.size(); ++i) out.data.push_back(i);
    return out;
  }
  std::optional<Local> by_fields(const graph::Pad& op) const {
    const auto rank = result().size();
    const auto& pads = *op.pads;
    if (op.mode != graph::PadMode::constant) return std::nullopt;
    for (const std::size_t axis : {std::size_t{0}, std::size_t{1}})
      if (pads[axis] != 0 || pads[rank + axis] != 0) return std::nullopt;
    Local out{{0}, {}, op.value.value_or(0.f), std::nullopt};
    for (std::size_t axis = 2; axis < rank; ++axis) out.reach.push_back({1, 1, 1, pads[axis]});
    return out;
  }
};

}  // namespace

std::optional<Local> local(const graph::Graph& graph, const graph::Node& node) {
  if (node.outputs.size() != 1 || node.inputs.empty()) return std::nullopt;
  const auto& result = graph.value(node.outputs[0]);
  if (result.shape.size() < 3 || result.shape.size() > 5 || result.type != graph::DType::f32)
    return std::nullopt;
  return std::visit(Locality{graph, node}, node.op);
}

std::int64_t multiplications(const graph::Graph& graph, const graph::Node& node) {
  const auto shape = [&](std::size_t i) -> const Shape& {
    return graph.value(node.inputs[i]).shape;
  };
  const auto results = [&] { return base::element_count(graph.value(node.outputs[0]).shape); };
  if (std::holds_alternative<graph::Conv>(node.op))
    return base::checked_mul(results(), base::element_count(shape(1)) / shape(1)[0]);
  if (const auto* gemm = std::get_if<graph::Gemm>(&node.op))
    return base::checked_mul(results(), shape(0)[gemm->trans_a ? 0 : 1]);
  if (std::holds_alternative<graph::MatMul>(node.op))
    return base::checked_mul(results(), shape(0).back());
  return 0;
}

}  // namespace fovea::passes::detail
