#pragma once

#include "simd/kernels/channel_affine.hpp"
#include "simd/kernels/channel_mean.hpp"
#include "simd/kernels/channel_sum.hpp"
#include "simd/kernels/elementwise.hpp"
#include "simd/kernels/lstm.hpp"
#include "simd/kernels/map.hpp"
#include "simd/kernels/matrix.hpp"
#include "simd/kernels/picture.hpp"
#include "simd/kernels/pillow.hpp"
#include "simd/kernels/planar.hpp"
#include "simd/kernels/pool.hpp"
#include "simd/kernels/relevance.hpp"
#include "simd/kernels/rescale.hpp"
#include "simd/kernels/similarity.hpp"
#include "simd/kernels/unary_backward.hpp"

namespace fovea::simd {
namespace {

constexpr Kernels make_table(Isa isa) {
  return {
      .isa = isa,
      .channel_mean = channel_mean,
      .weighted_channel_sum = weighted_channel_sum,
      .channel_dot = channel_dot,
      .channel_affine = channel_affine,
      .channel_spread = channel_spread,
      .max_pool_backward = max_pool_backward,
      .max_pool_rescale = max_pool_rescale,
      .average_pool_backward = average_pool_backward,
      .relevance_ratio = relevance_ratio,
      .relu_max = relu_max,
      .min_max = min_max,
      .copy_finite = copy_finite,
      .scale_shift = scale_shift,
      .binary = binary,
      .binary_scalar = binary_scalar,
      .scalar_binary = scalar_binary,
      .axpy = axpy,
      .unary = unary,
      .unary_backward = unary_backward,
      .unary_rescale = unary_rescale,
      .relu_backward_masked = relu_backward_masked,
      .matrix_vector = matrix_vector<float>,
      .vector_matrix = vector_matrix<float>,
      .matrix_vector_bf16 = matrix_vector<std::uint16_t>,
      .vector_matrix_bf16 = vector_matrix<std::uint16_t>,
      .weighted_dots_bf16 = weighted_dots_bf16,
      .lstm_backward = lstm_backward,
      .resize_bilinear = resize_bilinear,
      .colormap = colormap,
      .blend = blend,
      .pillow_columns = pillow_columns,
      .pillow_rows = pillow_rows,
      .grey = grey,
      .planar = planar,
  };
}

}  // namespace

/// Defined by the arch_*.cpp files; constant-initialised, so nothing of theirs runs at start-up.
extern const Kernels kBaselineKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

}  // namespace fovea::simd
