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

/// Means over positions of Registers * (lanes of B) neighbouring channels, or (Registers 1) of
/// `lanes` of them; two chains per lane.
template <class B, int Registers>
void mean_lanes(const float* src, MapLayout layout, i64 lanes, float* dst) {
  constexpr i64 kWidth = kLanesOf<B>;
  const auto load_lanes = [lanes](const float* p) {
    return lanes == kWidth ? load_all<B>(p) : load_part<B>(p, lanes);
  };
  B total[Registers], even[Registers], odd[Registers];
  for (auto& t : total) t = B(0.f);
  for (i64 begin = 0; begin < layout.positions; begin += 2 * kChain) {
    const i64 end = min_of(layout.positions, begin + 2 * kChain);
    for (int r = 0; r < Registers; ++r) even[r] = odd[r] = B(0.f);
    i64 p = begin;
    for (; p + 2 <= end; p += 2)
      for (int r = 0; r < Registers; ++r) {
        even[r] += load_lanes(src + p * layout.block + r * kWidth);
        odd[r] += load_lanes(src + (p + 1) * layout.block + r * kWidth);
      }
    for (int r = 0; r < Registers; ++r) {
      if (p < end) even[r] += load_lanes(src + p * layout.block + r * kWidth);
      total[r] += even[r] + odd[r];
    }
  }
  const B count(static_cast<float>(layout.positions));
  for (int r = 0; r < Registers; ++r) {
    if (lanes == kWidth)
      store_all(dst + r * kWidth, total[r] / count);
    else
      store_part(dst + r * kWidth, total[r] / count, lanes);
  }
}

/// Channels [begin, end) of one block.
template <class B>
void mean_block(const float* block, MapLayout layout, i64 begin, i64 end, float* dst) {
  constexpr i64 kWidth = kLanesOf<B>;
  i64 j = begin;
  for (; j + 4 * kWidth <= end; j += 4 * kWidth)
    mean_lanes<B, 4>(block + j, layout, kWidth, dst + j);
  for (; j + kWidth <= end; j += kWidth) mean_lanes<B, 1>(block + j, layout, kWidth, dst + j);
  if (j < end) mean_lanes<B, 1>(block + j, layout, end - j, dst + j);
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
