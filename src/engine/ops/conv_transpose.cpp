#include <algorithm>
#include <numeric>

#include "engine/ops/conv_parameters.hpp"
#include "engine/ops/linear.hpp"

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

Operand weights_in(const ConvTranspose& op, ForwardContext& c, const Desc& want) {
  const Desc as = weights_view(c.in_shape(1), op.group);
  if (c.is_constant(1)) return c.b.packed_weight(c.node().inputs[1], as, want, "deconv");
  Operand weights = c.plain_in(1);
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

dnnl::deconvolution_forward::primitive_desc forward_desc(const ConvTranspose& op, ForwardContext& c,
                                                         Type type, bool biased) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const Desc bias = biased ? plain_desc({c.out_shape()[1]}, Type::f32) : Desc();
  const Desc weights(dims_in(weights_view(c.in_shape(1), op.group)), type,
                     dnnl::memory::format_tag::any);
  return compat::window_forward<dnnl::deconvolution_forward>(
      cpu(), dnnl::algorithm::deconvolution_direct, any_desc(c.in_shape(0), type), weights, bias,
      any_desc(c.out_shape(), type), geometry(op, c), attr);
}

}  // namespace

void forward(const ConvTranspose& op, ForwardContext& c) {
  const auto pd = forward_desc(op, c, c.b.compute_type(), c.has(2));
  require(pd, c);
  const Operand src = c.b.in_layout(c.in(0), pd.src_desc());
  const Operand dst = c.make_out(pd.dst_desc());
  std::vector<std::pair<int, Operand>> args = {
      {DNNL_ARG_SRC, src},
      {DNNL_ARG_WEIGHTS, weights_in(op, c, pd.weights_desc())},
      {DNNL_ARG_DST, dst}};
  if (c.has(2)) args.emplace_back(DNNL_ARG_BIAS, c.plain_in(2));
  c.b.primitive(dnnl::deconvolution_forward(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                std::move(args));
  c.out(0, dst);
}

namespace {

template <class Weights>
Operand input_gradient(const ConvTranspose& op, BackwardContext& c, const Operand& diff, Type type,
                       Weights&& weights_for) {
  const auto hint = forward_desc(op, c, type, c.has(2));
  require(hint, c);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const Desc weights(dims_in(weights_view(c.in_shape(1), op.group)), type,
                     dnnl::memory::format_tag::any);
  const auto pd =
      compat::window_backward_data<dnnl::deconvolution_backward_data, dnnl::deconvolution_forward>(
          cpu(), dnnl::algorithm::deconvolution_direct, any_desc(c.in_shape(0), Type::f32), weights,
          any_desc(c.out_shape(), type), geometry(op, c), hint, attr);
  require(pd, c);
  const Operand diff_dst = c.b.in_layout(diff, pd.diff_dst_desc());
  const Operand diff_src = c.b.make(pd.diff_src_desc());
  c.b.primitive(dnnl::deconvolution_backward_data(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                {{DNNL_ARG_DIFF_DST, diff_dst},
                 {DNNL_ARG_WEIGHTS, weights_for(pd.weights_desc())},
                 {DNNL_ARG_DIFF_SRC, diff_src}});
  return diff_src;
}

/// The node's weights rewritten, in oneDNN's order of their axes.
Operand rewritten_weights(const ConvTranspose& op, ForwardContext& c, const Desc& want,
                          const Substitute& form) {
  const auto weights = rewritten(form);
  const Desc view = weights_view(c.in_shape(1), op.group);
  const Shape& shape = c.in_shape(1);
  const auto inputs = shape[0] / op.group, outputs = shape[1];
  return c.b.derived_weight(
      c.node().inputs[1], plain_desc(dims_in(view)), want, "deconv" + weights.key,
      [&, make = weights.make](std::span<const float> own) {
        const auto from = make(own);
        const auto kernel = static_cast<std::int64_t>(own.size()) / (shape[0] * outputs);
        std::vector<float> to(from.size());
        for (std::int64_t g = 0; g < op.group; ++g)
          for (std::int64_t i = 0; i < inputs; ++i)
            for (std::int64_t o = 0; o < outputs; ++o)
              std::copy_n(from.data() + ((g * inputs + i) * outputs + o) * kernel, kernel,
                          to.data() + ((g * outputs + o) * inputs + i) * kernel);
        return to;
      });
}

}  // namespace

void backward(const ConvTranspose& op, BackwardContext& c) {
  if (c.wants(2)) c.send(2, bias_gradient(c, c.grad()));
  if (c.wants(1)) {
    const Desc as = weights_view(c.in_shape(1), op.group);
    const auto part =
        weights_gradient<dnnl::deconvolution_forward, dnnl::deconvolution_backward_weights>(
            c, dnnl::algorithm::deconvolution_direct, dims_in(as), geometry(op, c), c.grad(), as);
    c.send(1, part.as(plain_desc(c.in_shape(1))));
  }
  if (!c.wants(0)) return;
  c.send(0, input_gradient(op, c, c.grad(), c.b.compute_type(),
                           [&](const Desc& want) { return weights_in(op, c, want); }));
}

Operand apply(const ConvTranspose& op, ForwardContext& c, const Operand& x, const Substitute& form,
              const Operand& bias, const Operand&) {
  const auto pd = forward_desc(op, c, Type::f32, static_cast<bool>(bias));
  require(pd, c);
  const Operand src = c.b.in_layout(x, pd.src_desc());
  const Operand dst = c.b.make(pd.dst_desc());
  std::vector<std::pair<int, Operand>> args = {
      {DNNL_ARG_SRC, src},
      {DNNL_ARG_WEIGHTS, rewritten_weights(op, c, pd.weights_desc(), form)},
      {DNNL_ARG_DST, dst}};
  if (bias) args.emplace_back(DNNL_ARG_BIAS, bias);
  c.b.primitive(dnnl::deconvolution_forward(pd), pd.scratchpad_desc(), pd.impl_info_str(),
                std::move(args));
  return dst;
}

Operand transpose(const ConvTranspose& op, BackwardContext& c, const Operand& s,
                  const Substitute& form, const Operand&) {
  return input_gradient(op, c, s, Type::f32,
                        [&](const Desc& want) { return rewritten_weights(op, c, want, form); });
}

}  // namespace fovea::engine
