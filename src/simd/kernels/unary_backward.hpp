#pragma once

#include "simd/kernels/elementwise.hpp"

namespace fovea::simd {
namespace {

void relu_backward_masked(const float* diff, const float* y, float* dst, i64 n) {
  each(diff, y, dst, n, [](F d, F v) { return xsimd::select(v > F(0.f), d, F(0.f)); });
}

void unary_backward(Unary kind, float a, float b, const float* diff, const float* src, float* dst,
                    i64 n) {
  const F va(a), vb(b), zero(0.f), one(1.f);
  /// dst = diff * slope(x).
  const auto slope = [=](auto f) {
    each(diff, src, dst, n, [=](F d, F x) { return d * F(f(x)); });
  };
  /// dst = f(diff, x), and NaN where x is NaN.
  const auto pieces = [=](auto f) {
    each(diff, src, dst, n, [=](F d, F x) { return math::nan_or(x, F(f(d, x))); });
  };
  switch (kind) {
    case Unary::relu:
      return pieces([=](F d, F x) { return xsimd::select(x > zero, d, zero); });
    case Unary::leaky_relu:
      return pieces([=](F d, F x) { return xsimd::select(x > zero, d, va * d); });
    case Unary::clip:
      return pieces([=](F d, F x) { return xsimd::select((x > va) & (x < vb), d, zero); });
    case Unary::sigmoid:
      return slope([](F x) { return math::sigmoid_slope(x); });
    case Unary::tanh:
      return slope([](F x) { return math::tanh_slope(x); });
    case Unary::silu:
      return slope([=](F x) { return math::swish_slope(x, one); });
    case Unary::swish:
      return slope([=](F x) { return math::swish_slope(x, va); });
    case Unary::hard_sigmoid:
      return pieces([=](F d, F x) {
        const F y = fused(va, x, vb);
        return xsimd::select((y > zero) & (y < one), va * d, zero);
      });
    case Unary::hard_swish:
      return pieces([=](F d, F x) {
        const F inside = d * fused(x, F(1.f / 3.f), F(0.5f));
        return xsimd::select(x <= F(-3.f), zero, xsimd::select(x < F(3.f), inside, d));
      });
    case Unary::elu:
      return slope([=](F x) { return math::elu_slope(x, va); });
    case Unary::selu:
      return slope([=](F x) { return vb * math::elu_slope(x, va); });
    case Unary::celu:
      return slope([=](F x) { return xsimd::select(x > zero, one, xsimd::exp(x / va)); });
    case Unary::exp:
      return slope([](F x) { return xsimd::exp(x); });
    case Unary::log:
      return each(diff, src, dst, n, [](F d, F x) { return d / x; });
    case Unary::sqrt:
      return each(diff, src, dst, n, [](F d, F x) { return d / (F(2.f) * xsimd::sqrt(x)); });
    case Unary::reciprocal:
      return each(diff, src, dst, n, [](F d, F x) { return -d / (x * x); });
    case Unary::abs:
      return pieces(
          [=](F d, F x) { return xsimd::select(x > zero, d, xsimd::select(x < zero, -d, zero)); });
    case Unary::neg:
      return each(diff, src, dst, n, [](F d, F x) { return math::nan_or(x, F(-d)); });
    case Unary::erf:
      return slope([](F x) { return F(math::kTwoOverSqrtPi) * xsimd::exp(-x * x); });
    case Unary::gelu_erf:
      return slope([](F x) { return math::gelu_erf_slope(x); });
    case Unary::gelu_tanh:
      return slope([](F x) { return math::gelu_tanh_slope(x); });
    case Unary::softplus:
      return slope([](F x) { return math::sigmoid(x); });
    case Unary::softsign:
      return slope([](F x) { return math::softsign_slope(x); });
    case Unary::mish:
      return slope([](F x) { return math::mish_slope(x); });
    case Unary::floor:
    case Unary::ceil:
      return pieces([=](F, F) { return zero; });
    case Unary::sin:
      for (i64 i = 0; i < n; ++i) dst[i] = diff[i] * ::cosf(src[i]);
      return;
    case Unary::cos:
      for (i64 i = 0; i < n; ++i) dst[i] = -diff[i] * ::sinf(src[i]);
      return;
  }
}

}  // namespace
}  // namespace fovea::simd
