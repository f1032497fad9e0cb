#pragma once

#include "simd/kernels/arch.hpp"
#include "simd/kernels/channel_affine.hpp"
#include "simd/kernels/math.hpp"

/// Statistics and normalisation of a map.
namespace fovea::simd {
namespace {

/// What one pass over a map finds out.
class Statistics {
 public:
  void add(F x) {
    nan_ = nan_ | xsimd::isnan(x);
    max_ = xsimd::select(x > max_, x, max_);
    min_ = xsimd::select(x < min_, x, min_);
  }

  MapStats result() const { return {min_lanes(min_), max_lanes(max_), xsimd::any(nan_)}; }

 private:
  F max_ = F(-__builtin_inff());
  F min_ = F(__builtin_inff());
  typename F::batch_bool_type nan_ = xsimd::isnan(F(0.f));
};

/// The lanes that a partial load left at zero take the value of its first.
inline F first_in_unused(F x, const float* p, i64 lanes) {
  alignas(64) float values[kLanes];
  x.store_aligned(values);
  for (i64 i = lanes; i < kLanes; ++i) values[i] = p[0];
  return F::load_aligned(values);
}

MapStats relu_max(float* map, i64 n) {
  Statistics stats;
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const F y = math::relu(load_all<F>(map + i));
    store_all(map + i, y);
    stats.add(y);
  }
  if (i < n) {
    const F y = math::relu(load_part<F>(map + i, n - i));
    store_part(map + i, y, n - i);
    stats.add(first_in_unused(y, map + i, n - i));
  }
  return stats.result();
}

MapStats min_max(const float* map, i64 n) {
  Statistics stats;
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes) stats.add(load_all<F>(map + i));
  if (i < n) stats.add(first_in_unused(load_part<F>(map + i, n - i), map + i, n - i));
  return stats.result();
}

bool copy_finite(const float* src, float* dst, i64 n) {
  F sum(0.f);  // of x - x: 0 where x is finite, else NaN, which then stays
  // NOLINTBEGIN(misc-redundant-expression)
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const F x = load_all<F>(src + i);
    store_all(dst + i, x);
    sum = sum + (x - x);
  }
  if (i < n) {
    const F x = load_part<F>(src + i, n - i);
    store_part(dst + i, x, n - i);
    sum = sum + (x - x);
  }
  // NOLINTEND(misc-redundant-expression)
  return !xsimd::any(xsimd::isnan(sum));
}

void scale_shift(float* map, i64 n, float scale, float shift) {
  affine_plain(map, n, F(scale), F(shift), false, map);
}

}  // namespace
}  // namespace fovea::simd
