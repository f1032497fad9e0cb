#pragma once

#include "simd/kernels/arch.hpp"

/// relevance_ratio: a stabilized division, with sums per channel of what it lets pass and of what
/// the stabilizer takes.
namespace fovea::simd {
namespace {

/// What every division of a call shares.
struct Ratio {
  const float* r;
  const float* z;
  const float* side;
  float scale;
  float epsilon;
  int which;
  float* dst;
};

/// Sums are carried in floats over so many steps, then in doubles.
constexpr i64 kRatioChain = 32;

/// `steps` batches, `stride` floats apart, of which the first `lanes` lanes count; sums[2 i],
/// sums[2 i + 1] of lane i are added to.
template <class B>
void ratio_run(const Ratio& ratio, i64 at, i64 steps, i64 stride, i64 lanes, double* sums) {
  constexpr i64 kWidth = kLanesOf<B>;
  const bool whole = lanes == kWidth;
  const auto load = [=](const float* p) { return whole ? load_all<B>(p) : load_part<B>(p, lanes); };
  const B scale(ratio.scale), epsilon(ratio.epsilon), zero(0.f);
  alignas(64) float passed[kWidth], lost[kWidth];
  for (i64 begin = 0; begin < steps; begin += kRatioChain) {
    const i64 end = min_of(steps, begin + kRatioChain);
    B pass(0.f), lose(0.f);
    for (i64 i = begin; i < end; ++i) {
      const i64 p = at + i * stride;
      const B z = load(ratio.z + p), r = load(ratio.r + p) * scale;
      const B stabilizer = xsimd::select(z < zero, -epsilon, epsilon);
      B s = r / (z + stabilizer);
      if (ratio.side != nullptr) {
        const B side = load(ratio.side + p);
        const B left = ratio.which > 0 ? side : -side;
        s = xsimd::select(left > zero, s, zero);
        // An element of neither side: nobody passes it on, and one of the two has to say so.
        if (ratio.which > 0) lose += xsimd::select(side == zero, r, zero);
      }
      pass += s;
      lose = fused(s, stabilizer, lose);
      if (whole)
        store_all(ratio.dst + p, s);
      else
        store_part(ratio.dst + p, s, lanes);
    }
    pass.store_aligned(passed);
    lose.store_aligned(lost);
    for (i64 i = 0; i < lanes; ++i) {
      sums[2 * i] += static_cast<double>(passed[i]);
      sums[2 * i + 1] += static_cast<double>(lost[i]);
    }
  }
}

inline void ratio_plain(const Ratio& ratio, i64 channel, i64 positions, double* sums) {
  double lanes[2 * kLanes] = {};
  const i64 at = channel * positions, whole = positions / kLanes;
  ratio_run<F>(ratio, at, whole, kLanes, kLanes, lanes);
  if (const i64 rest = positions - whole * kLanes; rest > 0)
    ratio_run<F>(ratio, at + whole * kLanes, 1, kLanes, rest, lanes);
  for (i64 i = 0; i < kLanes; ++i) {
    sums[2 * channel] += lanes[2 * i];
    sums[2 * channel + 1] += lanes[2 * i + 1];
  }
}

void relevance_ratio(const float* r, const float* z, const float* side, MapLayout layout,
                     float scale, float epsilon, int which, i64 c_begin, i64 c_end, float* dst,
                     double* sums) {
  const Ratio ratio{r, z, side, scale, epsilon, which, dst};
  for (i64 i = 2 * c_begin; i < 2 * c_end; ++i) sums[i] = 0;
  if (layout.block == 1) {
    for (i64 c = c_begin; c < c_end; ++c) ratio_plain(ratio, c, layout.positions, sums);
    return;
  }
  with_lanes(layout.block, [&](auto tag) {
    using B = typename decltype(tag)::type;
    constexpr i64 kWidth = kLanesOf<B>;
    for (i64 c = c_begin; c < c_end;) {
      const i64 first = c / layout.block * layout.block;
      const i64 end = min_of(c_end, first + layout.block);
      for (i64 j = c; j < end; j += kWidth)
        ratio_run<B>(ratio, first * layout.positions + (j - first), layout.positions, layout.block,
                     min_of(kWidth, end - j), sums + 2 * j);
      if (end == layout.channels)
        for (i64 p = 0; p < layout.positions; ++p)
          for (i64 j = end - first; j < layout.block; ++j)
            dst[first * layout.positions + p * layout.block + j] = 0.f;
      c = end;
    }
  });
}

}  // namespace
}  // namespace fovea::simd
