#pragma once

#include "simd/kernels/arch.hpp"

/// Bytes to 32-bit lanes and back: conversions for which xsimd 8 has no fast path.
namespace fovea::simd {
namespace {

/// As many bytes as there are lanes.
I widen(const u8* p);

/// Clamped to 0..255; as many bytes as there are lanes.
void narrow(I v, u8* p);

/// value * factor, value in 0..255, |factor| < 2^23.
I weigh(I value, I factor);

/// One group of four bytes per row: rows[r] + offset, a row per four lanes.
constexpr i64 kPixelRows = kLanes / 4;
I widen_rows(const u8* const* rows, i64 offset);

/// p[0..3] in every four lanes.
I repeat_four(const int32_t* p);

/// sums[r] = the sum of the r-th four lanes.
void sum_fours(I v, int32_t* sums);

inline int32_t load_int(const u8* p) {
  int32_t v = 0;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store_int(u8* p, int32_t v) {
  __builtin_memcpy(p, &v, sizeof v);
}

#if defined(FOVEA_SIMD_AVX512)
inline I widen(const u8* p) {
  return I(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p))));
}
inline void narrow(I v, u8* p) {
  const __m512i positive = _mm512_max_epi32(v, _mm512_setzero_si512());
  _mm_storeu_si128(reinterpret_cast<__m128i_u*>(p), _mm512_cvtusepi32_epi8(positive));
}
inline I weigh(I value, I factor) {
  return value * factor;
}
inline I widen_rows(const u8* const* rows, i64 offset) {
  return I(
      _mm512_cvtepu8_epi32(_mm_setr_epi32(load_int(rows[0] + offset), load_int(rows[1] + offset),
                                          load_int(rows[2] + offset), load_int(rows[3] + offset))));
}
inline I repeat_four(const int32_t* p) {
  return I(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p))));
}
inline void sum_fours(I v, int32_t* sums) {
  const __m512i pairs = _mm512_add_epi32(v, _mm512_shuffle_epi32(v, _MM_PERM_CDAB));
  const __m512i all = _mm512_add_epi32(pairs, _mm512_shuffle_epi32(pairs, _MM_PERM_BADC));
  const __m512i first = _mm512_maskz_compress_epi32(0x1111, all);
  _mm_storeu_si128(reinterpret_cast<__m128i_u*>(sums), _mm512_castsi512_si128(first));
}
#elif defined(FOVEA_SIMD_AVX2)
inline I widen(const u8* p) {
  return I(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i_u*>(p))));
}
inline void narrow(I v, u8* p) {
  const __m256i all = v;
  const __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i_u*>(p), _mm_packus_epi16(words, words));
}
inline I weigh(I value, I factor) {
  return value * factor;
}
inline I widen_rows(const u8* const* rows, i64 offset) {
  return I(_mm256_cvtepu8_epi32(
      _mm_setr_epi32(load_int(rows[0] + offset), load_int(rows[1] + offset), 0, 0)));
}
inline I repeat_four(const int32_t* p) {
  return I(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p))));
}
inline void sum_fours(I v, int32_t* sums) {
  const __m256i pairs = _mm256_add_epi32(v, _mm256_shuffle_epi32(v, 0xB1));
  const __m256i all = _mm256_add_epi32(pairs, _mm256_shuffle_epi32(pairs, 0x4E));
  sums[0] = _mm256_cvtsi256_si32(all);
  sums[1] = _mm256_extract_epi32(all, 4);
}
#else
inline I widen_int(int32_t four) {
  const __m128i zero = _mm_setzero_si128();
  return I(_mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero), zero));
}
inline I widen(const u8* p) {
  return widen_int(load_int(p));
}
inline void narrow(I v, u8* p) {
  const __m128i words = _mm_packs_epi32(v, v);
  store_int(p, _mm_cvtsi128_si32(_mm_packus_epi16(words, words)));
}
/// SSE2 multiplies 16-bit numbers only, so the factor is split at its 15th bit.
inline I weigh(I value, I factor) {
  const __m128i low = _mm_madd_epi16(value, _mm_and_si128(factor, _mm_set1_epi32(0x7fff)));
  const __m128i high = _mm_madd_epi16(value, _mm_srai_epi32(factor, 15));
  return I(_mm_add_epi32(low, _mm_slli_epi32(high, 15)));
}
inline I widen_rows(const u8* const* rows, i64 offset) {
  return widen_int(load_int(rows[0] + offset));
}
inline I repeat_four(const int32_t* p) {
  return I::load_unaligned(p);
}
inline void sum_fours(I v, int32_t* sums) {
  const __m128i pairs = _mm_add_epi32(v, _mm_shuffle_epi32(v, 0xB1));
  sums[0] = _mm_cvtsi128_si32(_mm_add_epi32(pairs, _mm_shuffle_epi32(pairs, 0x4E)));
}
#endif

}  // namespace
}  // namespace fovea::simd
