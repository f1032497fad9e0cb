#pragma once

#include "engine/dnnl_compat.hpp"
#include "engine/ops/op.hpp"

namespace fovea::engine {

/// A resolved window in oneDNN's terms.
inline compat::WindowDims window_dims(const graph::Window& window) {
  compat::WindowDims out;
  out.strides = window.strides;
  for (const auto dilation : window.dilations) out.dilates.push_back(dilation - 1);
  out.pad_begin = window.pads_begin;
  out.pad_end = window.pads_end;
  return out;
}

/// Throws Error unsupported when oneDNN has no implementation.
template <class PrimitiveDesc>
void require(const PrimitiveDesc& pd, const ForwardContext& context) {
  if (!pd) context.fail(ErrorCode::unsupported, "oneDNN has no implementation for these extents");
}

}  // namespace fovea::engine
