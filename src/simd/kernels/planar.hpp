#pragma once

#include "simd/kernels/bytes.hpp"

/// Interleaved bytes to float planes.
namespace fovea::simd {
namespace {

inline u8 grey_of(const u8* rgb) {
  const int32_t sum = 19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 0x8000;
  return static_cast<u8>(sum >> 16);
}

template <int Channels>
void grey_pixels(const u8* src, i64 n, u8* dst) {
  for (i64 i = 0; i < n; ++i) dst[i] = grey_of(src + i * Channels);
}

void grey(const u8* src, i64 channels, i64 n, u8* dst) {
  if (channels == 3)
    grey_pixels<3>(src, n, dst);
  else
    grey_pixels<4>(src, n, dst);
}

/// Pixels that are split into planes of bytes at a time; a few more bytes let the last register
/// load whole.
constexpr i64 kChunk = 256;
struct Planes {
  u8 bytes[3][kChunk + kLanes];
};

template <int Channels>
void split(const u8* src, i64 n, u8* r, u8* g, u8* b) {
  for (i64 i = 0; i < n; ++i) {
    r[i] = src[i * Channels];
    g[i] = src[i * Channels + 1];
    b[i] = src[i * Channels + 2];
  }
}

inline void fill(const u8* src, const PlanarSpec& spec, i64 n, Planes& planes) {
  u8* const first = planes.bytes[0];
  if (spec.src_channels == 1) {
    __builtin_memcpy(first, src, static_cast<unsigned long>(n));
  } else if (spec.dst_channels == 1) {
    grey(src, spec.src_channels, n, first);
  } else if (spec.src_channels == 3) {
    split<3>(src, n, first, planes.bytes[1], planes.bytes[2]);
  } else {
    split<4>(src, n, first, planes.bytes[1], planes.bytes[2]);
  }
}

inline void normalise(const u8* bytes, i64 n, float scale, float mean, float deviation,
                      float* dst) {
  const F s(scale), m(mean), d(deviation);
  for (i64 i = 0; i < n; i += kLanes) {
    const F y = (xsimd::to_float(widen(bytes + i)) * s - m) / d;
    if (i + kLanes <= n)
      store_all(dst + i, y);
    else
      store_part(dst + i, y, n - i);
  }
}

void planar(const u8* src, i64 src_stride, const PlanarSpec* spec, i64 width, i64 y_begin,
            i64 y_end, float* dst, i64 row_stride, i64 plane_stride) {
  Planes planes = {};
  for (i64 y = y_begin; y < y_end; ++y) {
    const u8* row = src + y * src_stride;
    for (i64 x = 0; x < width; x += kChunk) {
      const i64 n = min_of(kChunk, width - x);
      fill(row + x * spec->src_channels, *spec, n, planes);
      for (i64 c = 0; c < spec->dst_channels; ++c) {
        const i64 colour = spec->bgr && spec->dst_channels == 3 ? 2 - c : c;
        const u8* bytes = planes.bytes[spec->src_channels == 1 ? 0 : colour];
        normalise(bytes, n, spec->scale, spec->mean[c], spec->std[c],
                  dst + c * plane_stride + y * row_stride + x);
      }
    }
  }
}

}  // namespace
}  // namespace fovea::simd
