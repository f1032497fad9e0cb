#include <numeric>

#include "graph/infer/context.hpp"

namespace fovea::graph::detail {
namespace {

/// From the attribute, input 1 or the flags: sorted, non-negative, explicit.
Ints resolved_axes(const Reduce& op, const InferContext& c) {
  const auto rank = c.shape(0).size();
  Ints axes = op.axes.value_or(Ints{});
  if (c.has_input(1)) axes = c.constant_ints(1, "axes");
  if (!axes.empty()) return front_axes(axes, rank);
  if (op.spatial) {
    if (rank < 3)
      bad_model("the input has shape " + text(c.shape(0)) + ", without spatial extents");
    axes.resize(rank - 2);
    std::iota(axes.begin(), axes.end(), 2);
  } else if (!op.noop_with_empty_axes) {
    axes.resize(rank);
    std::iota(axes.begin(), axes.end(), 0);
  }
  return axes;
}

bool takes(ReduceKind kind, DType type) {
  switch (kind) {
    case ReduceKind::l2:
    case ReduceKind::log_sum_exp:
      return type == DType::f32;
    case ReduceKind::max:
    case ReduceKind::min:
      return true;
    case ReduceKind::mean:
    case ReduceKind::sum:
    case ReduceKind::prod:
    case ReduceKind::l1:
    case ReduceKind::sum_square:
    case ReduceKind::arg_max:
      break;
  }
  return type != DType::boolean;
}

}  // namespace

void infer_op(Reduce& op, InferContext& c) {
  const auto type = c.type(0);
  if (!takes(op.kind, type)) c.require_real_or_constant(0);
  const auto& x = c.shape(0);
  op.axes = resolved_axes(op, c);
  op.spatial = false;
  op.noop_with_empty_axes = op.axes->empty();
  c.keep_inputs(1);
  if (op.kind == ReduceKind::arg_max && op.axes->size() != 1)
    bad_model("ArgMax needs exactly one axis");

  Shape out;
  std::size_t next = 0;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool reduced = next < op.axes->size() && (*op.axes)[next] == static_cast<std::int64_t>(d);
    if (!reduced) {
      out.push_back(x[d]);
      continue;
    }
    ++next;
    if (x[d] < 1) bad_model("the input has shape " + text(x) + ": nothing to reduce over");
    if (op.keep_dims) out.push_back(1);
  }
  c.set_output(op.kind == ReduceKind::arg_max ? DType::i64 : type, std::move(out));
}

void infer_op(CumSum& op, InferContext& c) {
  const auto type = c.type(0);
  if (type == DType::boolean) c.require_real(0);
  auto axis = op.axis;
  if (c.has_input(1)) {
    const auto given = c.constant_ints(1, "axis");
    if (given.size() != 1) bad_model("CumSum needs exactly one axis");
    axis = given.front();
  }
  if (!axis) bad_model("CumSum needs exactly one axis");
  op.axis = front_axis(*axis, c.shape(0).size());
  c.keep_inputs(1);
  c.set_output(type, c.shape(0));
}

}  // namespace fovea::graph::detail
