#pragma once

#include "simd/kernels/bytes.hpp"

/// The two passes of Pillow's resize of 8-bit images. Integers throughout, so the bytes are the
/// same on every instruction set.
namespace fovea::simd {
namespace {

constexpr int kFractionBits = 22;
constexpr int32_t kHalf = 1 << (kFractionBits - 1);

inline u8 clip8(int32_t sum) {
  const int32_t v = sum >> kFractionBits;
  return static_cast<u8>(v < 0 ? 0 : v > 255 ? 255 : v);
}

/// One channel: four lanes are taps, and the groups of four are rows. Taps are taken in fours; the
/// coefficients behind the last are zero, and where the bytes behind it would lie outside the row,
/// the output goes tap by tap.
inline void columns_1(const u8* const* src, i64 width, PillowAxis axis, i64 dw, u8* const* dst,
                      i64 rows) {
  for (i64 x = 0; x < dw; ++x) {
    const i64 first = axis.first[x];
    const i64 count = axis.count[x];
    const int32_t* coeffs = axis.coeffs + x * axis.stride;
    int32_t sums[kPixelRows] = {};
    if (first + (count + 3) / 4 * 4 <= width) {
      I lanes(0);
      for (i64 k = 0; k < count; k += 4)
        lanes += weigh(widen_rows(src, first + k), repeat_four(coeffs + k));
      sum_fours(lanes, sums);
    } else {
      for (i64 r = 0; r < rows; ++r)
        for (i64 k = 0; k < count; ++k) sums[r] += src[r][first + k] * coeffs[k];
    }
    for (i64 r = 0; r < rows; ++r) dst[r][x] = clip8(sums[r] + kHalf);
  }
}

/// Pixels of Channels (3 or 4) bytes: four lanes are the bytes of one pixel, and the groups of four
/// are rows. With three channels a load takes one byte too many, and a store writes one, which the
/// next pixel overwrites; the last pixel of a row goes byte by byte.
template <int Channels>
void columns_pixels(const u8* const* src, i64 width, PillowAxis axis, i64 dw, u8* const* dst,
                    i64 rows) {
  for (i64 x = 0; x < dw; ++x) {
    const i64 first = axis.first[x];
    const i64 count = axis.count[x];
    const int32_t* coeffs = axis.coeffs + x * axis.stride;
    const bool spill = Channels == 3 && first + count == width;
    const i64 whole = spill ? count - 1 : count;
    I sum(kHalf);
    for (i64 k = 0; k < whole; ++k)
      sum += weigh(widen_rows(src, (first + k) * Channels), I(coeffs[k]));
    if (spill) {
      u8 last[kPixelRows][4] = {};
      const u8* pointers[kPixelRows];
      for (i64 r = 0; r < kPixelRows; ++r) {
        __builtin_memcpy(last[r], src[r] + (width - 1) * Channels, Channels);
        pointers[r] = last[r];
      }
      sum += weigh(widen_rows(pointers, 0), I(coeffs[whole]));
    }
    u8 out[kLanes];
    narrow(sum >> kFractionBits, out);
    for (i64 r = 0; r < rows; ++r) {
      u8* at = dst[r] + x * Channels;
      if constexpr (Channels == 3) {
        if (x + 1 == dw) {
          __builtin_memcpy(at, out + 4 * r, 3);
          continue;
        }
      }
      __builtin_memcpy(at, out + 4 * r, 4);
    }
  }
}

void pillow_columns(const u8* src, i64 src_stride, i64 src_width, i64 channels, PillowAxis axis,
                    i64 dw, i64 y_begin, i64 y_end, u8* dst, i64 dst_stride) {
  for (i64 y = y_begin; y < y_end; y += kPixelRows) {
    // Fewer rows than a register holds: the last is computed more than once, and written once.
    const i64 rows = min_of(kPixelRows, y_end - y);
    const u8* from[kPixelRows];
    u8* to[kPixelRows];
    for (i64 r = 0; r < kPixelRows; ++r) {
      const i64 row = y + min_of(r, rows - 1);
      from[r] = src + row * src_stride;
      to[r] = dst + row * dst_stride;
    }
    if (channels == 1)
      columns_1(from, src_width, axis, dw, to, rows);
    else if (channels == 3)
      columns_pixels<3>(from, src_width, axis, dw, to, rows);
    else
      columns_pixels<4>(from, src_width, axis, dw, to, rows);
  }
}

/// Registers * kLanes bytes of one output row.
template <int Registers>
void rows_chunk(const u8* src, i64 src_stride, i64 count, const int32_t* coeffs, u8* dst) {
  I sum[Registers];
  for (auto& s : sum) s = I(kHalf);
  for (i64 k = 0; k < count; ++k) {
    const I factor(coeffs[k]);
    for (int r = 0; r < Registers; ++r)
      sum[r] += weigh(widen(src + k * src_stride + r * kLanes), factor);
  }
  for (int r = 0; r < Registers; ++r) narrow(sum[r] >> kFractionBits, dst + r * kLanes);
}

void pillow_rows(const u8* src, i64 src_stride, i64 row_bytes, PillowAxis axis, i64 y_begin,
                 i64 y_end, u8* dst, i64 dst_stride) {
  for (i64 y = y_begin; y < y_end; ++y) {
    const u8* from = src + axis.first[y] * src_stride;
    const i64 count = axis.count[y];
    const int32_t* coeffs = axis.coeffs + y * axis.stride;
    u8* to = dst + y * dst_stride;
    i64 x = 0;
    for (; x + 4 * kLanes <= row_bytes; x += 4 * kLanes)
      rows_chunk<4>(from + x, src_stride, count, coeffs, to + x);
    for (; x + kLanes <= row_bytes; x += kLanes)
      rows_chunk<1>(from + x, src_stride, count, coeffs, to + x);
    for (; x < row_bytes; ++x) {
      int32_t sum = kHalf;
      for (i64 k = 0; k < count; ++k) sum += from[k * src_stride + x] * coeffs[k];
      to[x] = clip8(sum);
    }
  }
}

}  // namespace
}  // namespace fovea::simd
