#pragma once

#include "simd/kernels/bytes.hpp"

/// Maps to pictures: bilinear resize, colours, overlay. No fused multiply-add here: every
/// instruction set gives the same floats and the same bytes.
namespace fovea::simd {
namespace {

/// Interpolates one row along its columns.
inline void stretch_row(const float* row, LinearAxis columns, i64 dw, float* out) {
  for (i64 x = 0; x < dw; ++x) {
    const float left = row[columns.lo[x]];
    out[x] = left + (row[columns.hi[x]] - left) * columns.frac[x];
  }
}

inline void mix_rows(const float* above, const float* below, float frac, i64 n, float* dst) {
  const F all(frac);
  const auto mix = [all](F a, F b) { return a + (b - a) * all; };
  i64 x = 0;
  for (; x + kLanes <= n; x += kLanes)
    store_all(dst + x, mix(load_all<F>(above + x), load_all<F>(below + x)));
  if (x < n)
    store_part(dst + x, mix(load_part<F>(above + x, n - x), load_part<F>(below + x, n - x)), n - x);
}

void resize_bilinear(const float* src, i64 sw, LinearAxis columns, LinearAxis rows, i64 dw,
                     i64 y_begin, i64 y_end, float* scratch, float* dst) {
  // The two source rows in use, stretched to dw columns; going down, the lower becomes the upper.
  float* above = scratch;
  float* below = scratch + dw;
  i64 above_row = -1;
  i64 below_row = -1;
  for (i64 y = y_begin; y < y_end; ++y) {
    if (above_row != rows.lo[y] && below_row == rows.lo[y]) {
      float* const swap = above;
      above = below;
      below = swap;
      above_row = below_row;
      below_row = -1;
    }
    if (above_row != rows.lo[y]) {
      above_row = rows.lo[y];
      stretch_row(src + above_row * sw, columns, dw, above);
    }
    if (below_row != rows.hi[y]) {
      below_row = rows.hi[y];
      stretch_row(src + below_row * sw, columns, dw, below);
    }
    mix_rows(above, below, rows.frac[y], dw, dst + y * dw);
  }
}

/// trunc(255 x) in 0..255, NaN as 0.
inline I colour_index(F x) {
  const F scaled = x * F(255.f);
  const F positive = xsimd::select(scaled > F(0.f), scaled, F(0.f));
  return xsimd::to_int(F(xsimd::select(positive > F(255.f), F(255.f), positive)));
}

/// Colours [0, n) of the map, each written as four bytes of which the next colour overwrites the
/// last; so the caller keeps a pixel back.
inline void colour_fours(const float* map, i64 n, const int32_t* colours, u8* rgb) {
  alignas(64) int32_t index[kLanes];
  for (i64 i = 0; i < n; i += kLanes) {
    const i64 lanes = min_of(kLanes, n - i);
    const F x = lanes == kLanes ? load_all<F>(map + i) : load_part<F>(map + i, lanes);
    colour_index(x).store_aligned(index);
    for (i64 k = 0; k < lanes; ++k) store_int(rgb + 3 * (i + k), colours[index[k]]);
  }
}

void colormap(const float* map, i64 n, const u8* lut, u8* rgb) {
  if (n == 0) return;
  int32_t colours[256];
  for (i64 i = 0; i < 255; ++i) colours[i] = load_int(lut + 3 * i);
  const u8 top[4] = {lut[765], lut[766], lut[767], 0};
  colours[255] = load_int(top);
  colour_fours(map, n - 1, colours, rgb);
  u8 last[4];
  colour_fours(map + n - 1, 1, colours, last);
  __builtin_memcpy(rgb + 3 * (n - 1), last, 3);
}

void blend(const u8* photo, const u8* heat, float alpha, i64 n, u8* dst) {
  const F of_heat(alpha), of_photo(1.f - alpha), half(0.5f);
  const auto mix = [=](const u8* p, const u8* h, u8* out) {
    const F sum = xsimd::to_float(widen(p)) * of_photo + xsimd::to_float(widen(h)) * of_heat;
    narrow(xsimd::to_int(F(sum + half)), out);
  };
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes) mix(photo + i, heat + i, dst + i);
  if (i == n) return;
  u8 p[kLanes] = {}, h[kLanes] = {}, out[kLanes];
  for (i64 k = 0; k < n - i; ++k) {
    p[k] = photo[i + k];
    h[k] = heat[i + k];
  }
  mix(p, h, out);
  for (i64 k = 0; k < n - i; ++k) dst[i + k] = out[k];
}

}  // namespace
}  // namespace fovea::simd
