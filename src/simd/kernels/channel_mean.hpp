#pragma once

#include "simd/kernels/arch.hpp"

namespace fovea::simd {
namespace {

/// Partial sums are put aside after so many additions per lane: the rounding error of a long sum
/// grows with the length of its longest chain.
constexpr i64 kChain = 256;

inline float sum_contiguous(const float* src, i64 n) {
  constexpr i64 kStep = 4 * kLanes;
  F total(0.f);
  i64 i = 0;
  while (i + kStep <= n) {
    F a(0.f), b(0.f), c(0.f), d(0.f);
    const i64 end = min_of(n, i + kChain * kStep);
    for (; i + kStep <= end; i += kStep) {
      a += load_all<F>(src + i);
      b += load_all<F>(src + i + kLanes);
      c += load_all<F>(src + i + 2 * kLanes);
      d += load_all<F>(src + i + 3 * kLanes);
    }
    total += (a + b) + (c + d);
  }
  for (; i + kLanes <= n; i += kLanes) total += load_all<F>(src + i);
  if (i < n) total += load_part<F>(src + i, n - i);
  return sum_lanes(total);
}

/// The sum over positions of the lanes at src, two positions at a time.
template <class B, class Load>
B sum_strided(const float* src, i64 positions, i64 stride, Load load_lanes) {
  B total(0.f);
  for (i64 begin = 0; begin < positions; begin += 2 * kChain) {
    const i64 end = min_of(positions, begin + 2 * kChain);
    B even(0.f), odd(0.f);
    i64 p = begin;
    for (; p + 2 <= end; p += 2) {
      even += load_lanes(src + p * stride);
      odd += load_lanes(src + (p + 1) * stride);
    }
    if (p < end) even += load_lanes(src + p * stride);
    total += even + odd;
  }
  return total;
}

template <class B>
void mean_block(const float* block, MapLayout layout, i64 begin, i64 end, float* dst) {
  const B count(static_cast<float>(layout.positions));
  constexpr i64 kWidth = kLanesOf<B>;
  for (i64 j = begin; j < end; j += kWidth) {
    const i64 lanes = min_of(kWidth, end - j);
    const auto whole = [](const float* p) { return load_all<B>(p); };
    const auto part = [lanes](const float* p) { return load_part<B>(p, lanes); };
    if (lanes == kWidth)
      store_all(dst + j, sum_strided<B>(block + j, layout.positions, layout.block, whole) / count);
    else
      store_part(dst + j, sum_strided<B>(block + j, layout.positions, layout.block, part) / count,
                 lanes);
  }
}

void channel_mean(const float* src, MapLayout layout, i64 c_begin, i64 c_end, float* dst) {
  const i64 positions = layout.positions;
  if (layout.block == 1) {
    for (i64 c = c_begin; c < c_end; ++c)
      dst[c] = sum_contiguous(src + c * positions, positions) / static_cast<float>(positions);
    return;
  }
  with_lanes(layout.block, [&](auto tag) {
    using B = typename decltype(tag)::type;
    for (i64 c = c_begin; c < c_end;) {
      const i64 first = c / layout.block * layout.block;
      const i64 end = min_of(c_end, first + layout.block);
      mean_block<B>(src + first * positions, layout, c - first, end - first, dst + first);
      c = end;
    }
  });
}

}  // namespace
}  // namespace fovea::simd
