#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/parallel.hpp"
#include "engine/ops/op.hpp"
#include "simd/kernels.hpp"

/// What several operators share of element-wise work.
namespace fovea::engine {

/// Floats worth waking a thread for.
inline constexpr std::int64_t kElementGrain = 16384;

/// body(image, c_begin, c_end) over all channels of all images, in parallel; cut at whole blocks,
/// where all channels are one block at whole vectors.
template <class Body>
void over_channels(const MapView& view, Body&& body) {
  constexpr std::int64_t kVector = 16;
  const auto& map = view.layout;
  const auto step = map.block == map.channels ? std::min(map.block, kVector) : map.block;
  const auto pieces = (map.channels + step - 1) / std::max<std::int64_t>(step, 1);
  base::parallel_for(view.images * pieces,
                     std::max<std::int64_t>(1, kElementGrain / (map.positions * step + 1)),
                     [&](std::int64_t begin, std::int64_t end) {
                       for (auto piece = begin; piece < end;) {
                         const auto image = piece / pieces;
                         const auto last = std::min(end, (image + 1) * pieces);
                         body(image, piece % pieces * step,
                              std::min((last - image * pieces) * step, map.channels));
                         piece = last;
                       }
                     });
}

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
void add_unary_step(Builder& b, const graph::Unary& op, const Operand& src, const Operand& dst);

/// y = f(x) over n values, in parallel; one of simd_unary's functions.
void run_unary(const SimdUnary& f, const float* x, float* y, std::int64_t n);

/// diff * f'(at): `at` is the function's argument, or its result where slope_from_result. The
/// result has `at`'s layout.
/// `spent`: diff may be written over.
Operand unary_gradient(Builder& b, const graph::Unary& op, const Operand& diff, const Operand& at,
                       bool spent);

/// The same under GradientRule::rescale; `at` is the function's argument.
Operand unary_rescaled(Builder& b, const graph::Unary& op, const Operand& diff, const Operand& at,
                       bool spent);

/// (e^x - e^r) / (x - r).
inline double exp_quotient(double x, double r) {
  const double half = (x - r) / 2;
  if (std::abs(half) > 1) return (std::exp(x) - std::exp(r)) / (x - r);
  return std::exp((x + r) / 2) * (std::abs(half) < 1e-4 ? 1 : std::sinh(half) / half);
}

/// Half the sum of a value of the forward pass and its reference, f32, in the value's layout.
Operand mean_with_reference(Builder& b, const Operand& value);

using PairSlope = float (*)(float, float);
/// In double, so that a difference of two is no rounding.
using PairFunction = double (*)(double, double);

/// g times input `input`'s share of f(a, b) - f(a', b') over its own difference, row-major, in the
/// result's extents: the mean of what it changes before and after the other one does, which is the
/// product rule where f is a product. `slope`: df / d(input), half-way, where the difference is no
/// more than `small` of the operand.
Operand rescaled_pair(BackwardContext& c, PairFunction f, PairSlope slope, std::size_t input,
                      float small);

/// a + b of equal extents, in a's layout, in a new buffer.
Operand sum_of(Builder& b, const Operand& a, const Operand& other);
/// a * b, likewise.
Operand product_of(Builder& b, const Operand& a, const Operand& other);

/// Sums `diff` (row-major, extents `from`) over the axes along which `to` was broadcast; the result
/// has extents `to`, row-major.
Operand reduce_to(Builder& b, const Operand& diff, const Shape& from, const Shape& to);

/// Row-major strides of `shape` seen as `broadcast`: 0 along the axes it is repeated over.
Dims broadcast_strides(const Shape& shape, const Shape& broadcast);

}  // namespace fovea::engine
