#include <numeric>

#include "engine/ops/window.hpp"

namespace fovea::engine {
namespace {

using graph::ConvTranspose;

/// ONNX stores [in, out / group, ...]; oneDNN counts [group, out / group, in / group, ...]: a view.
Desc weights_view(const Shape& onnx, std::int64_t group) {
  Shape split = onnx;
  split[0] /= group;
  split.insert(split.begin(), group);
  Dims strides = plain_strides(split);
  std::swap(split[1], split[2]);
  std::swap(strides[1], strides[2]);
  if (group == 1) {
    split.erase(split.begin());
    strides.erase(strides.begin());
  }
  return {split, Type::f32, strides};
}

Tensor weights_in(const ConvTranspose& op, ForwardContext& c, const Desc& want) {
  const Desc as = weights_view(c.in_shape(1), op.group);
  if (c.is_constant(1)) return c.b.packed_weight(c.node().inputs[1], as, want, "deconv");
  Tensor weights = c.plain_in(1);
  weights.desc = as;
  return c.b.in_layout(weights, want);
}

/// oneDNN reads the output's extents from the end pads, output padding included.
compat::WindowDims geometry(const ConvTranspose& op, ForwardContext& c) {
  auto window = window_dims(op.window);
  const Shape& src = c.in_shape(0);
  const Shape& dst = c.out_shape();
  for (std::size_t i = 0; i < window.strides.size(); ++i) {
    const auto kernel = (op.window.kernel[i] - 1) * op.window.dilations[i] + 1;
    const auto full = (src[i + 2] - 1) * window.strides[i] + kernel;
    window.pad_end[i] = full - window.pad_begin[i] - dst[i + 2];
  }
  return window;
}

dnnl::deconvolution_forward::primitive_desc forward_desc(const ConvTranspose& op,
                                                         ForwardContext& c) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const Type type = c.b.compute_type();
  const Desc bias = c.has(2) ? plain_desc({c.out_shape()[1]}, Type::f32) : Desc();
  const Desc weights(dims_in(weights_view(c.in_shape(1), op.group)), type,
                     dnnl::memory::format_tag::any);
  return compat::window_forward<dnnl::deconvolution_forward>(
      cpu(), dnnl::algorithm::deconvolution_direct, any_desc(c.in_shape(0), type), weights, bias,
      any_desc(c.out_shape(), type), geometry(op, c), attr);
}

}  // namespace

void forward(const ConvTranspose& op, ForwardContext& c) {
  const auto pd = forward_desc(op, c);
  require(pd, c);
  const Tensor src = c.b.in_layout(c.in(0), pd.src_desc());
  const Tensor dst = c.make_out(pd.dst_desc());
  std::vector<std::pair<int, Tensor>> args = {
      {DNNL_ARG_SRC, src},
      {DNNL_ARG_WEIGHTS, weights_in(op, c, pd.weights_desc())},
      {DNNL_ARG_DST, dst}};
  if (c.has(2)) args.emplace_back(DNNL_ARG_BIAS, c.plain_in(2));
  c.b.primitive(dnnl::deconvolution_forward(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                std::move(args));
  c.out(0, dst);
}

void backward(const ConvTranspose& op, BackwardContext& c) {
  const auto hint = forward_desc(op, c);
  require(hint, c);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const Type type = c.b.compute_type();
  const Desc weights(dims_in(weights_view(c.in_shape(1), op.group)), type,
                     dnnl::memory::format_tag::any);
  const auto pd =
      compat::window_backward_data<dnnl::deconvolution_backward_data, dnnl::deconvolution_forward>(
          cpu(), dnnl::algorithm::deconvolution_direct, any_desc(c.in_shape(0), Type::f32), weights,
          any_desc(c.out_shape(), type), geometry(op, c), hint, attr);
  require(pd, c);
  const Tensor diff_dst = c.b.in_layout(c.grad(), pd.diff_dst_desc());
  const Tensor diff_src = c.b.make(pd.diff_src_desc());
  c.b.primitive(dnnl::deconvolution_backward_data(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                {{DNNL_ARG_DIFF_DST, diff_dst},
                 {DNNL_ARG_WEIGHTS, weights_in(op, c, pd.weights_desc())},
                 {DNNL_ARG_DIFF_SRC, diff_src}});
  c.send(0, diff_src);
}

}  // namespace fovea::engine
