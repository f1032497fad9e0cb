#pragma once

#include "graph/infer/context.hpp"

namespace fovea::graph::detail {

/// Largest extent of a kernel, stride, dilation or pad: what 32-bit kernels can count.
inline constexpr std::int64_t kMaxWindow = (std::int64_t{1} << 31) - 1;

/// Fills the defaults of a window over `spatial` dimensions and checks every number. The kernel
/// must be set.
void check_window(Window& window, std::size_t spatial);

/// Dilated extent of dimension d: (kernel - 1) dilation + 1.
std::int64_t effective_kernel(const Window& window, std::size_t d);

/// Resolves auto_pad into pads for a window that moves over `input`.
void resolve_auto_pad(Window& window, const Shape& input);

/// floor((input + pads - effective kernel) / stride) + 1; throws bad_model where that is below 1.
std::int64_t window_output(const Window& window, std::size_t d, std::int64_t input);

/// Extents after batch and channel. Throws unless x has one to three of them, each at least 1.
Shape spatial_extents(const InferContext& c);

}  // namespace fovea::graph::detail
