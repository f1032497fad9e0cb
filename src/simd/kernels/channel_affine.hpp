#pragma once

#include "simd/kernels/arch.hpp"
#include "simd/kernels/math.hpp"

namespace fovea::simd {
namespace {

template <class B>
B affine(B x, B scale, B shift, bool relu) {
  const B y = fused(x, scale, shift);
  return relu ? math::relu(y) : y;
}

inline void affine_plain(const float* src, i64 n, F scale, F shift, bool relu, float* dst) {
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes)
    store_all(dst + i, affine(load_all<F>(src + i), scale, shift, relu));
  if (i < n) store_part(dst + i, affine(load_part<F>(src + i, n - i), scale, shift, relu), n - i);
}

/// Channels [begin, end) of one block, and zeros up to `zero_end`.
template <class B>
void affine_block(const float* src, MapLayout layout, const float* scale, const float* shift,
                  bool relu, i64 begin, i64 end, i64 zero_end, float* dst) {
  constexpr i64 kWidth = kLanesOf<B>;
  const i64 block = layout.block;
  for (i64 j = begin; j < end; j += kWidth) {
    const i64 lanes = min_of(kWidth, end - j);
    if (lanes == kWidth) {
      const B a = scale ? load_all<B>(scale + j) : B(1.f);
      const B b = shift ? load_all<B>(shift + j) : B(0.f);
      for (i64 p = 0; p < layout.positions; ++p)
        store_all(dst + p * block + j, affine(load_all<B>(src + p * block + j), a, b, relu));
    } else {
      const B a = scale ? load_part<B>(scale + j, lanes) : B(1.f);
      const B b = shift ? load_part<B>(shift + j, lanes) : B(0.f);
      for (i64 p = 0; p < layout.positions; ++p)
        store_part(dst + p * block + j,
                   affine(load_part<B>(src + p * block + j, lanes), a, b, relu), lanes);
    }
  }
  for (i64 p = 0; p < layout.positions && end < zero_end; ++p)
    for (i64 j = end; j < zero_end; ++j) dst[p * block + j] = 0.f;
}

void channel_affine(const float* src, MapLayout layout, const float* scale, const float* shift,
                    bool relu, i64 c_begin, i64 c_end, float* dst) {
  const i64 positions = layout.positions;
  if (layout.block == 1) {
    for (i64 c = c_begin; c < c_end; ++c)
      affine_plain(src + c * positions, positions, F(scale ? scale[c] : 1.f),
                   F(shift ? shift[c] : 0.f), relu, dst + c * positions);
    return;
  }
  with_lanes(layout.block, [&](auto tag) {
    using B = typename decltype(tag)::type;
    for (i64 c = c_begin; c < c_end;) {
      const i64 first = c / layout.block * layout.block;
      const i64 end = min_of(c_end, first + layout.block);
      const i64 zero_end = end == layout.channels ? layout.block : end - first;
      affine_block<B>(src + first * positions, layout, scale ? scale + first : nullptr,
                      shift ? shift + first : nullptr, relu, c - first, end - first, zero_end,
                      dst + first * positions);
      c = end;
    }
  });
}

}  // namespace
}  // namespace fovea::simd
