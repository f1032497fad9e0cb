#pragma once

#include "engine/ops/window.hpp"

/// Gradients of what a convolution is made of, where the network computes it.
namespace fovea::engine {

/// Of the bias: the sum of the result's over images and positions.
Operand bias_gradient(BackwardContext& context, const Operand& diff);

/// Of the weights, in the layout `as`, by oneDNN; f32 whatever the plan's
/// precision. `weights`: their extents as oneDNN counts them.
template <class Forward, class Backward>
Operand weights_gradient(BackwardContext& c, dnnl::algorithm algorithm, const Shape& weights,
                         const compat::WindowDims& window, const Operand& diff, const Desc& as) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const Desc x = any_desc(c.in_shape(0), Type::f32), w = any_desc(weights, Type::f32),
             y = any_desc(c.out_shape(), Type::f32);
  const auto hint =
      compat::window_forward<Forward>(cpu(), algorithm, x, w, Desc(), y, window, attr);
  require(hint, c);
  const auto pd = compat::window_backward_weights<Backward, Forward>(cpu(), algorithm, x, w, y,
                                                                     window, hint, attr);
  require(pd, c);
  const Operand src = c.b.in_layout(c.in(0), pd.src_desc());
  const Operand diff_dst = c.b.in_layout(diff, pd.diff_dst_desc());
  const Operand diff_weights = c.b.make(pd.diff_weights_desc());
  c.b.primitive(
      Backward(pd), pd.scratchpad_desc(), pd.impl_info_str(),
      {{DNNL_ARG_SRC, src}, {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_WEIGHTS, diff_weights}});
  return c.b.in_layout(diff_weights, as);
}

}  // namespace fovea::engine
