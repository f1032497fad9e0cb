#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "simd/kernels/arch.hpp"

/// A row-major matrix times a few vectors: the matrix is read once, in several streams at a time,
/// so that memory is what limits a large one. However rows, columns and vectors are grouped, a
/// result is the same chain of operations.
namespace fovea::simd {
namespace {

/// Elements of a matrix as floats.
inline F load_matrix(const float* p) {
  return load_all<F>(p);
}
inline F load_matrix_part(const float* p, i64 lanes) {
  return load_part<F>(p, lanes);
}

/// Widens bf16: the upper half of a float.
inline F load_matrix(const std::uint16_t* p) {
#if defined(FOVEA_SIMD_AVX512)
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p));
  return F(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16)));
#elif defined(FOVEA_SIMD_AVX2)
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p));
  return F(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16)));
#else
  const __m128i half = _mm_loadl_epi64(reinterpret_cast<const __m128i_u*>(p));
  return F(_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), half)));
#endif
}
inline F load_matrix_part(const std::uint16_t* p, i64 lanes) {
  alignas(32) std::uint16_t values[kLanes] = {};
  for (i64 i = 0; i < lanes; ++i) values[i] = p[i];
  return load_matrix(values);
}

/// Vectors that pass a matrix' rows together.
constexpr i64 kMaxVectors = 4;
/// Accumulators that leave room for the loads in the registers of the instruction set.
constexpr int kAccumulators = kLanes == 16 ? 16 : 8;

/// Calls run(Count<n>{}) for n in [1, Most].
template <int N>
using Count = std::integral_constant<int, N>;
template <int Most, class Run>
void with_count(i64 n, Run run) {
  if constexpr (Most > 1)
    if (n < Most) return with_count<Most - 1>(n, run);
  run(Count<Most>{});
}

/// Adds the products of `lanes` columns of Rows rows and Vectors vectors.
template <int Rows, int Vectors, bool Part, class T>
inline void dot_step(const T* matrix, i64 columns, const float* src, i64 lanes,
                     F (&sum)[Rows][Vectors]) {
  F x[Vectors];
  for (int v = 0; v < Vectors; ++v)
    x[v] = Part ? load_part<F>(src + v * columns, lanes) : load_all<F>(src + v * columns);
  for (int r = 0; r < Rows; ++r) {
    const F m =
        Part ? load_matrix_part(matrix + r * columns, lanes) : load_matrix(matrix + r * columns);
    for (int v = 0; v < Vectors; ++v) sum[r][v] = fused(m, x[v], sum[r][v]);
  }
}

template <int Rows, int Vectors, class T>
void dot_rows(const T* matrix, i64 columns, const float* src, float* dst, i64 dst_stride) {
  F even[Rows][Vectors], odd[Rows][Vectors];
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) even[r][v] = odd[r][v] = F(0.f);
  i64 c = 0;
  for (; c + 2 * kLanes <= columns; c += 2 * kLanes) {
    dot_step<Rows, Vectors, false>(matrix + c, columns, src + c, kLanes, even);
    dot_step<Rows, Vectors, false>(matrix + c + kLanes, columns, src + c + kLanes, kLanes, odd);
  }
  if (c + kLanes <= columns) {
    dot_step<Rows, Vectors, false>(matrix + c, columns, src + c, kLanes, even);
    c += kLanes;
  }
  if (c < columns) dot_step<Rows, Vectors, true>(matrix + c, columns, src + c, columns - c, odd);
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v)
      dst[v * dst_stride + r] = sum_lanes(F(even[r][v] + odd[r][v]));
}

template <int Vectors, class T>
void dots(const T* matrix, i64 columns, const float* src, i64 r_begin, i64 r_end, float* dst,
          i64 dst_stride) {
  constexpr int kFit = kAccumulators / (2 * Vectors);
  constexpr int kRows = kFit > 4 ? 4 : kFit;
  i64 r = r_begin;
  for (; r + kRows <= r_end; r += kRows)
    dot_rows<kRows, Vectors>(matrix + r * columns, columns, src, dst + r, dst_stride);
  for (; r < r_end; ++r)
    dot_rows<1, Vectors>(matrix + r * columns, columns, src, dst + r, dst_stride);
}

/// Columns of the results that stay in the first-level cache while all rows pass.
constexpr i64 kColumns = 2048;

/// Adds Rows rows, each times its factor per vector, to `n` columns of the results.
template <int Rows, int Vectors, class T>
void add_rows(const T* const* rows, const float (&factors)[4][kMaxVectors], i64 n, float* dst,
              i64 dst_stride) {
  F f[Rows][Vectors];
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) f[r][v] = F(factors[r][v]);
  i64 c = 0;
  for (; c + kLanes <= n; c += kLanes) {
    F y[Vectors];
    for (int v = 0; v < Vectors; ++v) y[v] = load_all<F>(dst + v * dst_stride + c);
    for (int r = 0; r < Rows; ++r) {
      const F m = load_matrix(rows[r] + c);
      for (int v = 0; v < Vectors; ++v) y[v] = fused(f[r][v], m, y[v]);
    }
    for (int v = 0; v < Vectors; ++v) store_all(dst + v * dst_stride + c, y[v]);
  }
  if (c == n) return;
  for (int v = 0; v < Vectors; ++v) {
    F y = load_part<F>(dst + v * dst_stride + c, n - c);
    for (int r = 0; r < Rows; ++r) y = fused(f[r][v], load_matrix_part(rows[r] + c, n - c), y);
    store_part(dst + v * dst_stride + c, y, n - c);
  }
}

/// Bytes of a matrix that stays in the caches, so that it may be read column by column.
constexpr i64 kCached = i64{256} * 1024;

/// Vectors whose sums the registers hold, and of how many vectors' width of columns.
constexpr int kMaxSums = kLanes == 16 ? 6 : 4;
template <int Vectors>
constexpr int kBlocks = kLanes != 16  ? 8 / Vectors
                        : Vectors > 4 ? 4
                                      : 6;

/// Is any vector's factor of this row other than the two zeros?
template <int Vectors>
bool any_factor(const float* src, i64 stride) {
  std::uint32_t bits = 0;
  for (int v = 0; v < Vectors; ++v) bits |= std::bit_cast<std::uint32_t>(src[v * stride]);
  return bits << 1 != 0;
}

/// `Blocks` vectors' width of columns of all rows, the sums in registers; the last may be a Part.
template <int Blocks, int Vectors, bool Part, class T>
void sum_columns(const T* matrix, i64 rows, i64 columns, const float* src, i64 lanes, float* dst,
                 i64 dst_stride) {
  // Not unrolled, an array would be in memory.
  F y[Vectors][Blocks];
#pragma GCC unroll 8
  for (int v = 0; v < Vectors; ++v)
#pragma GCC unroll 8
    for (int b = 0; b < Blocks; ++b) y[v][b] = F(0.f);
  for (i64 r = 0; r < rows; ++r, matrix += columns) {
    if (!any_factor<Vectors>(src + r, rows)) continue;
    F m[Blocks];
#pragma GCC unroll 8
    for (int b = 0; b < Blocks; ++b)
      m[b] = Part && b + 1 == Blocks ? load_matrix_part(matrix + b * kLanes, lanes)
                                     : load_matrix(matrix + b * kLanes);
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      const F f(src[v * rows + r]);
#pragma GCC unroll 8
      for (int b = 0; b < Blocks; ++b) y[v][b] = fused(f, m[b], y[v][b]);
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < Vectors; ++v)
#pragma GCC unroll 8
    for (int b = 0; b < Blocks; ++b) {
      float* to = dst + v * dst_stride + b * kLanes;
      if (Part && b + 1 == Blocks)
        store_part(to, y[v][b], lanes);
      else
        store_all(to, y[v][b]);
    }
}

template <int Vectors, class T>
void sums_of_cached(const T* matrix, i64 rows, i64 columns, const float* src, i64 c_begin,
                    i64 c_end, float* dst, i64 dst_stride) {
  constexpr int kMost = kBlocks<Vectors>;
  i64 c = c_begin;
  for (; c + kMost * kLanes <= c_end; c += kMost * kLanes)
    sum_columns<kMost, Vectors, false>(matrix + c, rows, columns, src, kLanes, dst + c, dst_stride);
  if (c == c_end) return;
  const i64 blocks = (c_end - c + kLanes - 1) / kLanes, lanes = c_end - c - (blocks - 1) * kLanes;
  with_count<kMost>(blocks, [=](auto count) {
    sum_columns<decltype(count)::value, Vectors, true>(matrix + c, rows, columns, src, lanes,
                                                       dst + c, dst_stride);
  });
}

template <int Vectors, class T>
void sums(const T* matrix, i64 rows, i64 columns, const float* src, i64 c_begin, i64 c_end,
          float* dst, i64 dst_stride) {
  constexpr int kRows = 4;
  for (i64 begin = c_begin; begin < c_end; begin += kColumns) {
    const i64 n = min_of(kColumns, c_end - begin);
    for (int v = 0; v < Vectors; ++v)
      for (i64 c = 0; c < n; ++c) dst[v * dst_stride + begin + c] = 0.f;
    const T* group[kRows];
    float factors[kRows][kMaxVectors];
    int held = 0;
    for (i64 r = 0; r < rows; ++r) {
      bool any = false;
      for (int v = 0; v < Vectors; ++v) {
        factors[held][v] = src[v * rows + r];
        any = any || factors[held][v] != 0.f;
      }
      if (!any) continue;
      group[held] = matrix + r * columns + begin;
      if (++held < kRows) continue;
      add_rows<kRows, Vectors>(group, factors, n, dst + begin, dst_stride);
      held = 0;
    }
    for (int i = 0; i < held; ++i) {
      for (int v = 0; v < Vectors; ++v) factors[0][v] = factors[i][v];
      add_rows<1, Vectors>(group + i, factors, n, dst + begin, dst_stride);
    }
  }
}

template <class T>
void matrix_vector(const T* matrix, i64 columns, const float* src, i64 vectors, i64 r_begin,
                   i64 r_end, float* dst, i64 dst_stride) {
  with_count<kMaxVectors>(vectors, [=](auto count) {
    dots<decltype(count)::value>(matrix, columns, src, r_begin, r_end, dst, dst_stride);
  });
}

/// Calls run(Count<vectors>{}, first vector) on groups of at most Most, as large as each other.
template <int Most, class Run>
void in_groups(i64 vectors, Run run) {
  i64 first = 0;
  for (i64 groups = (vectors + Most - 1) / Most; groups > 0; --groups) {
    const i64 some = (vectors - first + groups - 1) / groups;
    with_count<Most>(some, [=](auto count) { run(count, first); });
    first += some;
  }
}

template <class T>
void vector_matrix(const T* matrix, i64 rows, i64 columns, const float* src, i64 vectors,
                   i64 c_begin, i64 c_end, float* dst, i64 dst_stride) {
  // One vector is bound by the matrix' way to the core, whatever the order.
  const bool cached = vectors > 1 && rows * columns * static_cast<i64>(sizeof(T)) <= kCached;
  if (cached)
    in_groups<kMaxSums>(vectors, [=](auto count, i64 first) {
      sums_of_cached<decltype(count)::value>(matrix, rows, columns, src + first * rows, c_begin,
                                             c_end, dst + first * dst_stride, dst_stride);
    });
  else
    in_groups<kMaxVectors>(vectors, [=](auto count, i64 first) {
      sums<decltype(count)::value>(matrix, rows, columns, src + first * rows, c_begin, c_end,
                                   dst + first * dst_stride, dst_stride);
    });
}

}  // namespace
}  // namespace fovea::simd
