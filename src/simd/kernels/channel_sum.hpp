#pragma once

#include "simd/kernels/arch.hpp"

/// weighted_channel_sum and channel_dot: sums over channels, one per position. The second factor is
/// a weight per channel, or a second map of the same layout.
namespace fovea::simd {
namespace {

/// Factors of a weight per channel.
struct WeightFactor {
  const float* values;
  const MapLayout layout;

  template <class B>
  B plain(i64 c, i64, i64) const {
    return B(values[c]);
  }
  template <class B>
  B blocked(i64 first, i64, i64 j) const {
    return load_all<B>(values + first + j);
  }
  template <class B>
  B blocked_part(i64 first, i64, i64 j, i64 lanes) const {
    return load_part<B>(values + first + j, lanes);
  }
};

/// Factors of a second map.
struct MapFactor {
  const float* values;
  const MapLayout layout;

  template <class B>
  B plain(i64 c, i64 p, i64 lanes) const {
    const float* at = values + c * layout.positions + p;
    return lanes == kLanesOf<B> ? load_all<B>(at) : load_part<B>(at, lanes);
  }
  template <class B>
  B blocked(i64 first, i64 p, i64 j) const {
    return load_all<B>(values + first * layout.positions + p * layout.block + j);
  }
  template <class B>
  B blocked_part(i64 first, i64 p, i64 j, i64 lanes) const {
    return load_part<B>(values + first * layout.positions + p * layout.block + j, lanes);
  }
};

/// Lanes are positions: Registers * kLanes of them, or (Registers 1) `lanes` of them.
template <int Registers, class Factor>
void sum_plain(const float* src, MapLayout layout, Factor factor, i64 p, i64 lanes, float* dst) {
  F sum[Registers];
  for (auto& s : sum) s = F(0.f);
  for (i64 c = 0; c < layout.channels; ++c) {
    const float* at = src + c * layout.positions + p;
    for (int r = 0; r < Registers; ++r) {
      const i64 q = r * kLanes;
      const F x = lanes == kLanes ? load_all<F>(at + q) : load_part<F>(at + q, lanes);
      sum[r] = fused(x, factor.template plain<F>(c, p + q, lanes), sum[r]);
    }
  }
  for (int r = 0; r < Registers; ++r) {
    if (lanes == kLanes)
      store_all(dst + p + r * kLanes, sum[r]);
    else
      store_part(dst + p + r * kLanes, sum[r], lanes);
  }
}

/// Lanes are channels; Count positions share the loads of the weights.
template <class B, int Count, class Factor>
void sum_blocked(const float* src, MapLayout layout, Factor factor, i64 p, float* dst) {
  constexpr i64 kWidth = kLanesOf<B>;
  B sum[Count];
  for (auto& s : sum) s = B(0.f);
  for (i64 first = 0; first < layout.channels; first += layout.block) {
    const float* at = src + first * layout.positions + p * layout.block;
    const i64 width = min_of(layout.block, layout.channels - first);
    i64 j = 0;
    for (; j + kWidth <= width; j += kWidth)
      for (int q = 0; q < Count; ++q)
        sum[q] = fused(load_all<B>(at + q * layout.block + j),
                       factor.template blocked<B>(first, p + q, j), sum[q]);
    if (j == width) continue;
    for (int q = 0; q < Count; ++q)
      sum[q] = fused(load_part<B>(at + q * layout.block + j, width - j),
                     factor.template blocked_part<B>(first, p + q, j, width - j), sum[q]);
  }
  for (int q = 0; q < Count; ++q) dst[p + q] = sum_lanes(sum[q]);
}

template <class Factor>
void channel_sum(const float* src, MapLayout layout, Factor factor, i64 p_begin, i64 p_end,
                 float* dst) {
  i64 p = p_begin;
  if (layout.block == 1) {
    for (; p + 4 * kLanes <= p_end; p += 4 * kLanes)
      sum_plain<4>(src, layout, factor, p, kLanes, dst);
    for (; p + kLanes <= p_end; p += kLanes) sum_plain<1>(src, layout, factor, p, kLanes, dst);
    if (p < p_end) sum_plain<1>(src, layout, factor, p, p_end - p, dst);
    return;
  }
  with_lanes(layout.block, [&](auto tag) {
    using B = typename decltype(tag)::type;
    for (; p + 8 <= p_end; p += 8) sum_blocked<B, 8>(src, layout, factor, p, dst);
    for (; p < p_end; ++p) sum_blocked<B, 1>(src, layout, factor, p, dst);
  });
}

void weighted_channel_sum(const float* src, MapLayout layout, const float* weights, i64 p_begin,
                          i64 p_end, float* dst) {
  channel_sum(src, layout, WeightFactor{weights, layout}, p_begin, p_end, dst);
}

void channel_dot(const float* a, const float* b, MapLayout layout, i64 p_begin, i64 p_end,
                 float* dst) {
  channel_sum(a, layout, MapFactor{b, layout}, p_begin, p_end, dst);
}

}  // namespace
}  // namespace fovea::simd
