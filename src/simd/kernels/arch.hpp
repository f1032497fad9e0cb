#pragma once

#include <stdint.h>

#include <xsimd/xsimd.hpp>

#include "simd/kernels.hpp"

/// What the kernels share: batches, partial loads, and what xsimd 8 lacks. Included only by the
/// arch_*.cpp files, which define FOVEA_SIMD_ARCH and give xsimd's namespace a name of their own.
namespace fovea::simd {
namespace {

using i64 = std::int64_t;
using u8 = std::uint8_t;
using std::int32_t;

using Arch = FOVEA_SIMD_ARCH;
using F = xsimd::batch<float, Arch>;
using I = xsimd::batch<int32_t, Arch>;

template <class B>
constexpr i64 kLanesOf = static_cast<i64>(B::size);
constexpr i64 kLanes = kLanesOf<F>;

constexpr i64 min_of(i64 a, i64 b) {
  return a < b ? a : b;
}
constexpr i64 max_of(i64 a, i64 b) {
  return a > b ? a : b;
}

/// The batch of half the lanes, void below four.
template <class B>
struct Halved {
  using type = void;
};
#if defined(FOVEA_SIMD_AVX2) || defined(FOVEA_SIMD_AVX512)
using F4 = xsimd::batch<float, xsimd::sse4_2>;
using F8 = xsimd::batch<float, xsimd::fma3<xsimd::avx2>>;
template <>
struct Halved<F8> {
  using type = F4;
};
#endif
#ifdef FOVEA_SIMD_AVX512
template <>
struct Halved<F> {
  using type = F8;
};
#endif

template <class B>
B load_all(const float* p) {
  return B::load_unaligned(p);
}
template <class B>
void store_all(float* p, B v) {
  v.store_unaligned(p);
}

/// The first `lanes` (below the width) of p, zero in the others; memory behind them is not touched.
template <class B>
B load_part(const float* p, i64 lanes) {
  alignas(64) float values[B::size] = {};
  for (i64 i = 0; i < lanes && i < kLanesOf<B>; ++i) values[i] = p[i];
  return B::load_aligned(values);
}
template <class B>
void store_part(float* p, B v, i64 lanes) {
  alignas(64) float values[B::size];
  v.store_aligned(values);
  for (i64 i = 0; i < lanes && i < kLanesOf<B>; ++i) p[i] = values[i];
}

#if defined(FOVEA_SIMD_AVX2) || defined(FOVEA_SIMD_AVX512)
alignas(64) constexpr int32_t kLaneMasks[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
__m256i lane_mask(i64 lanes) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(kLaneMasks + 8 - lanes));
}
template <>
F8 load_part<F8>(const float* p, i64 lanes) {
  return F8(_mm256_maskload_ps(p, lane_mask(lanes)));
}
template <>
void store_part<F8>(float* p, F8 v, i64 lanes) {
  _mm256_maskstore_ps(p, lane_mask(lanes), v);
}
#endif
#ifdef FOVEA_SIMD_AVX512
template <>
F load_part<F>(const float* p, i64 lanes) {
  return F(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << lanes) - 1), p));
}
template <>
void store_part<F>(float* p, F v, i64 lanes) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << lanes) - 1), v);
}
#endif

/// a * b + c, fused where the instruction set has it (xsimd 8 fuses in AVX2 only).
template <class B>
B fused(B a, B b, B c) {
  return xsimd::fma(a, b, c);
}
#if defined(FOVEA_SIMD_AVX2) || defined(FOVEA_SIMD_AVX512)
template <>
F4 fused<F4>(F4 a, F4 b, F4 c) {
  return F4(_mm_fmadd_ps(a, b, c));
}
#endif
#ifdef FOVEA_SIMD_AVX512
template <>
F fused<F>(F a, F b, F c) {
  return F(_mm512_fmadd_ps(a, b, c));
}
#endif

/// The sum of the lanes: the upper half is added to the lower until one is left.
template <class B>
float sum_lanes(B v) {
  if constexpr (B::size == 4) {
    const __m128 two = _mm_add_ps(v, _mm_movehl_ps(v, v));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
  }
#if defined(FOVEA_SIMD_AVX2) || defined(FOVEA_SIMD_AVX512)
  if constexpr (B::size == 8)
    return sum_lanes(F4(_mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1))));
#endif
#ifdef FOVEA_SIMD_AVX512
  if constexpr (B::size == 16)
    return sum_lanes(F8(_mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1))));
#endif
}

template <class B>
float max_lanes(B v) {
  alignas(64) float values[B::size];
  v.store_aligned(values);
  float out = values[0];
  for (const float x : values) out = x > out ? x : out;
  return out;
}
template <class B>
float min_lanes(B v) {
  return -max_lanes(-v);
}

template <class B>
struct Tag {
  using type = B;
};

/// Calls body(Tag<B>) with the widest batch that divides `block`, or that wastes little on it.
template <class B = F, class Body>
void with_lanes(i64 block, Body body) {
  using Half = typename Halved<B>::type;
  if constexpr (std::is_void_v<Half>) {
    body(Tag<B>{});
  } else {
    if (block % kLanesOf<B> == 0 || block > 4 * kLanesOf<B>)
      body(Tag<B>{});
    else
      with_lanes<Half>(block, body);
  }
}

}  // namespace
}  // namespace fovea::simd
