#include "engine/ops/conv_ways.hpp"
#include "engine/ops/post_ops.hpp"
#include "engine/ops/window.hpp"

namespace fovea::engine {
namespace {

using graph::Conv;

/// Weights as oneDNN counts them: groups are an axis of their own.
Shape grouped(const Shape& weights, std::int64_t group) {
  if (group == 1) return weights;
  Shape out = weights;
  out[0] /= group;
  out.insert(out.begin(), group);
  return out;
}

ConvProblem problem_of(const Conv& op, const ForwardContext& c) {
  return {c.in_shape(0),          c.out_shape(),      grouped(c.in_shape(1), op.group),
          window_dims(op.window), c.b.compute_type(), c.has(2) && !is_post_op_input(op.post, 2)};
}

Tensor weights_in(const Conv& op, ForwardContext& c, const Desc& want) {
  const Desc as = plain_desc(grouped(c.in_shape(1), op.group));
  if (c.is_constant(1)) return c.b.packed_weight(c.node().inputs[1], as, want, "conv");
  Tensor weights = c.plain_in(1);
  weights.desc = as;
  return c.b.in_layout(weights, want);
}

}  // namespace

void forward(const Conv& op, ForwardContext& c) {
  Desc wanted = c.b.place_of(c.node().outputs[0]).desc;
  if (const auto fused = fuse(op.post); fused.sum)
    wanted = c.in(static_cast<std::size_t>(fused.sum_input)).desc;
  const auto [name, pd, fused] = best_conv(c.b, problem_of(op, c), op.post, c.in(0).desc, wanted);
  require(pd, c);
  const Tensor src = c.b.in_layout(c.in(0), pd.src_desc());
  const Tensor weights = weights_in(op, c, pd.weights_desc());
  const Tensor dst = post_op_dst(c, fused, pd.dst_desc());
  std::vector<std::pair<int, Tensor>> args = {
      {DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, dst}};
  if (c.has(2) && !is_post_op_input(op.post, 2)) args.emplace_back(DNNL_ARG_BIAS, c.plain_in(2));
  c.b.primitive(dnnl::convolution_forward(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                std::move(args));
  finish_post_ops(c, op.post, fused, dst);
}

BackwardReads backward_reads(const Conv& op, unsigned) {
  return post_op_reads(op.post);
}

bool has_gradient(const Conv& op, std::size_t input) {
  return input == 0 || is_post_op_input(op.post, input);
}

void backward(const Conv& op, BackwardContext& c) {
  const Tensor diff = backward_through(c, op.post);
  if (!c.wants(0)) return;
  const auto problem = problem_of(op, c);
  const auto hint = compat::window_forward<ConvForward>(
      cpu(), dnnl::algorithm::convolution_direct, any_desc(problem.src, problem.type),
      any_desc(problem.weights, problem.type), Desc(), any_desc(problem.dst, problem.type),
      problem.window, fuse({}).attr);
  require(hint, c);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const Type type = c.b.compute_type();
  const auto pd =
      compat::window_backward_data<dnnl::convolution_backward_data, dnnl::convolution_forward>(
          cpu(), dnnl::algorithm::convolution_direct, any_desc(c.in_shape(0), Type::f32),
          any_desc(grouped(c.in_shape(1), op.group), type), any_desc(c.out_shape(), type),
          window_dims(op.window), hint, attr);
  require(pd, c);
  const Tensor diff_dst = c.b.in_layout(diff, pd.diff_dst_desc());
  const Tensor weights = weights_in(op, c, pd.weights_desc());
  const Tensor diff_src = c.b.make(pd.diff_src_desc());
  c.b.primitive(
      dnnl::convolution_backward_data(pd), pd.scratchpad_desc(), pd.impl_info_str(),
      {{DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_SRC, diff_src}});
  c.send(0, diff_src);
}

}  // namespace fovea::engine
