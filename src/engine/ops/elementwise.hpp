#pragma once

#include <optional>

#include "engine/ops/op.hpp"
#include "simd/kernels.hpp"

/// What several operators share of element-wise work.
namespace fovea::engine {

/// Floats worth waking a thread for.
inline constexpr std::int64_t kElementGrain = 16384;

/// A unary kind as the SIMD kernels have it; none for those that they lack.
struct SimdUnary {
  simd::Unary kind;
  float a = 0;
  float b = 0;
};
std::optional<SimdUnary> simd_unary(const graph::Unary& op);

/// True where the slope can be told from the result alone.
bool slope_from_result(const graph::Unary& op);

/// f(0) == 0, so that a blocked layout's padding stays zero.
bool keeps_zero(const graph::Unary& op);

/// dst = f(src), step of the current node; the two have one layout.
void add_unary_step(Builder& b, const graph::Unary& op, const Tensor& src, const Tensor& dst);

/// y = f(x) over n values, in parallel; one of simd_unary's functions.
void run_unary(const SimdUnary& f, const float* x, float* y, std::int64_t n);

/// diff * f'(at): `at` is the function's argument, or its result where slope_from_result. The
/// result has `at`'s layout.
Tensor unary_gradient(Builder& b, const graph::Unary& op, const Tensor& diff, const Tensor& at);

/// a + b of equal extents, in a's layout, in a new buffer.
Tensor sum_of(Builder& b, const Tensor& a, const Tensor& other);

/// Sums `diff` (row-major, extents `from`) over the axes along which `to` was broadcast; the result
/// has extents `to`, row-major.
Tensor reduce_to(Builder& b, const Tensor& diff, const Shape& from, const Shape& to);

/// Row-major strides of `shape` seen as `broadcast`: 0 along the axes it is repeated over.
Dims broadcast_strides(const Shape& shape, const Shape& broadcast);

}  // namespace fovea::engine
