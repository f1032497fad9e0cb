#pragma once

#include "simd/kernels/arch.hpp"

/// The functions of simd::Unary on batches, and their slopes. NaN comes out where NaN goes in:
/// comparisons are written so that a NaN takes the branch that keeps it (and never with !=, which
/// xsimd 8 answers with false for NaN on AVX).
namespace fovea::simd {
namespace {
namespace math {

template <class B>
B relu(B x) {
  return xsimd::select(x < B(0.f), B(0.f), x);
}

template <class B>
B nan_or(B x, B otherwise) {
  return xsimd::select(xsimd::isnan(x), x, otherwise);
}

inline F clip(F x, F lo, F hi) {
  const F raised = xsimd::select(x < lo, lo, x);
  return xsimd::select(raised > hi, hi, raised);
}

#ifdef __AVX512F__
/// 1 / (1 + exp(-x)) to 5e-7, with less work than the general functions: exp as a power of two
/// times a polynomial, without their care for denormals, and the estimate of a reciprocal with one
/// step of Newton's.
inline F sigmoid(F x) {
  // Below, the result is no normal float any more.
  const __mmask16 near = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-88.f), _CMP_NLT_UQ);
  const __m512 y = _mm512_min_ps(_mm512_set1_ps(88.f), x);
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(y, _mm512_set1_ps(-1.44269504088896341f)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 f = _mm512_fmadd_ps(n, _mm512_set1_ps(0.693359375f), y);  // ln 2, in two parts
  f = _mm512_fmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), f);
  __m512 p = _mm512_set1_ps(1.f / 720);  // of exp(-f)
  for (const float c : {-1.f / 120, 1.f / 24, -1.f / 6, 0.5f, -1.f, 1.f})
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(c));
  const __m512 d = _mm512_add_ps(_mm512_set1_ps(1.f), _mm512_scalef_ps(p, n));
  const __m512 guess = _mm512_rcp14_ps(d);
  return F(_mm512_maskz_mul_ps(near, guess, _mm512_fnmadd_ps(d, guess, _mm512_set1_ps(2.f))));
}
#else
inline F sigmoid(F x) {
  return F(1.f) / (F(1.f) + xsimd::exp(-x));
}
#endif

/// Slope of the sigmoid: e / (1 + e)^2 with e = exp(-|x|), which loses nothing where it is small.
inline F sigmoid_slope(F x) {
  const F e = xsimd::exp(-xsimd::abs(x));
  const F d = F(1.f) + e;
  return e / (d * d);
}

inline F tanh(F x) {
  return nan_or(x, F(xsimd::tanh(x)));
}

/// 1 - tanh(x)^2 = 4 e / (1 + e)^2 with e = exp(-2 |x|).
inline F tanh_slope(F x) {
  return F(4.f) * sigmoid_slope(x + x);
}

inline F swish(F x, F a) {
  return x * sigmoid(a * x);
}
inline F swish_slope(F x, F a) {
  return sigmoid(a * x) + a * x * sigmoid_slope(a * x);
}

inline F elu(F x, F a) {
  return xsimd::select(x > F(0.f), x, a * xsimd::expm1(x));
}
inline F elu_slope(F x, F a) {
  return xsimd::select(x > F(0.f), F(1.f), a * xsimd::exp(x));
}

constexpr float kSqrtHalf = 0.707106781186547524f;
constexpr float kInvSqrt2Pi = 0.398942280401432678f;
constexpr float kTwoOverSqrtPi = 1.12837916709551257f;

inline F gelu_erf(F x) {
  return F(0.5f) * x * xsimd::erfc(x * F(-kSqrtHalf));
}
inline F gelu_erf_slope(F x) {
  const F density = F(kInvSqrt2Pi) * xsimd::exp(F(-0.5f) * x * x);
  return F(0.5f) * xsimd::erfc(x * F(-kSqrtHalf)) + x * density;
}

/// (1 + tanh(u)) / 2 = sigmoid(2 u), which keeps its digits for negative u; here 2 u.
inline F gelu_tanh_argument(F x) {
  return F(1.59576912160573071f) * x * fused(F(0.044715f), x * x, F(1.f));
}
inline F gelu_tanh(F x) {
  return x * sigmoid(gelu_tanh_argument(x));
}
/// Beyond 20 the slope is 0 or 1, and the cube may overflow.
inline F gelu_tanh_slope(F far) {
  const F x = clip(far, F(-20.f), F(20.f));
  const F u = gelu_tanh_argument(x);
  const F du = F(1.59576912160573071f) * fused(F(3.f * 0.044715f), x * x, F(1.f));
  return sigmoid(u) + x * du * sigmoid_slope(u);
}

inline F softplus(F x) {
  return relu(x) + xsimd::log1p(xsimd::exp(-xsimd::abs(x)));
}

/// tanh(softplus(x)) = n / (n + 2) with n = e (e + 2), e = exp(x); 1 to float precision above 20.
inline F mish_factor(F x) {
  const F e = xsimd::exp(xsimd::select(x > F(20.f), F(20.f), x));
  const F n = e * (e + F(2.f));
  return n / (n + F(2.f));
}
inline F mish(F x) {
  return x * mish_factor(x);
}

/// n / (n + 2) + x 4 e (e + 1) / (n + 2)^2.
inline F mish_slope(F far) {
  const F x = xsimd::select(far > F(20.f), F(20.f), far);
  const F e = xsimd::exp(x);
  const F n = e * (e + F(2.f));
  const F d = n + F(2.f);
  return n / d + x * (F(4.f) * e * (e + F(1.f)) / (d * d));
}

inline F softsign(F x) {
  return x / (F(1.f) + xsimd::abs(x));
}
inline F softsign_slope(F x) {
  const F d = F(1.f) + xsimd::abs(x);
  return F(1.f) / (d * d);
}

}  // namespace math
}  // namespace
}  // namespace fovea::simd
