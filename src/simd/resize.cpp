#include "simd/resize.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fovea::simd {
namespace {

/// Adds a half and truncates towards zero, as Pillow does: not the nearest integer for negative
/// values, nor always at a tie.
std::int64_t half_up(double value) {
  value += 0.5;
  return static_cast<std::int64_t>(value);
}

/// The nearest integer, halves away from zero.
std::int64_t half_away(double value) {
  return static_cast<std::int64_t>(value < 0 ? value - 0.5 : value + 0.5);
}

// The fraction bits that the kernels expect.
constexpr int kTapBits = 22;

/// As many as leave the largest weight below 2^15.
int sixteen_bit_fraction(double largest) {
  int bits = 0;
  while (bits < kTapBits && 0.5 + largest * (1 << (bits + 1)) < (1 << 15)) ++bits;
  return bits;
}

/// How far a filter reaches, in output pixels where it shrinks.
double reach_of(PillowFilter filter) {
  switch (filter) {
    case PillowFilter::box:
      return 0.5;
    case PillowFilter::bilinear:
    case PillowFilter::hamming:
      return 1.0;
    case PillowFilter::bicubic:
      return 2.0;
    case PillowFilter::lanczos:
      return 3.0;
  }
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

/// Written as Pillow writes them, operation by operation: a last bit decides how a tie is rounded.
double weight_of(PillowFilter filter, double at) {
  const double x = std::abs(at);
  switch (filter) {
    case PillowFilter::box:
      return at > -0.5 && at <= 0.5 ? 1.0 : 0.0;
    case PillowFilter::bilinear:
      return x < 1.0 ? 1.0 - x : 0.0;
    case PillowFilter::hamming: {
      if (x == 0.0) return 1.0;
      if (x >= 1.0) return 0.0;
      const double angle = x * std::numbers::pi;
      return std::sin(angle) / angle * (double{0.54f} + double{0.46f} * std::cos(angle));
    }
    case PillowFilter::bicubic: {
      constexpr double kSharpness = -0.5;
      if (x < 1.0) return ((kSharpness + 2.0) * x - (kSharpness + 3.0)) * x * x + 1;
      return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * kSharpness : 0.0;
    }
    case PillowFilter::lanczos:
      return -3.0 <= at && at < 3.0 ? sinc(at) * sinc(at / 3) : 0.0;
  }
  return 0.0;
}

}  // namespace

LinearTaps::LinearTaps(std::int64_t src_size, std::int64_t dst_size) {
  const auto n = static_cast<std::size_t>(dst_size);
  lo_.resize(n);
  hi_.resize(n);
  frac_.resize(n);
  const double scale = static_cast<double>(src_size) / static_cast<double>(dst_size);
  const double last = static_cast<double>(src_size - 1);
  for (std::size_t i = 0; i < n; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale - 0.5;
    const double clamped = std::clamp(centre, 0.0, last);
    const double whole = std::floor(clamped);
    lo_[i] = static_cast<std::int32_t>(whole);
    hi_[i] = static_cast<std::int32_t>(std::min(whole + 1.0, last));
    frac_[i] = static_cast<float>(clamped - whole);
  }
}

void resize_bilinear(const float* src, std::int64_t sh, std::int64_t sw, float* dst,
                     std::int64_t dh, std::int64_t dw, std::int64_t y_begin, std::int64_t y_end) {
  const LinearTaps columns(sw, dw);
  const LinearTaps rows(sh, dh);
  std::vector<float> scratch(2 * static_cast<std::size_t>(dw));
  kernels().resize_bilinear(src, sw, columns.axis(), rows.axis(), dw, y_begin, y_end,
                            scratch.data(), dst);
}

PillowTaps::PillowTaps(std::int64_t src_size, std::int64_t dst_size)
    : PillowTaps(src_size, dst_size, 0.0, static_cast<double>(src_size)) {}

PillowTaps::PillowTaps(std::int64_t src_size, std::int64_t dst_size, double begin, double end,
                       PillowFilter filter, TapPrecision precision)
    : identity_(src_size == dst_size && begin == 0.0 && end == static_cast<double>(src_size)) {
  // Stretched by the scale when shrinking.
  const double scale = (end - begin) / static_cast<double>(dst_size);
  const double stretch = std::max(scale, 1.0);
  const double per_pixel = 1.0 / stretch;
  const double reach = reach_of(filter) * stretch;
  const auto n = static_cast<std::size_t>(dst_size);
  const std::int64_t most = 2 * static_cast<std::int64_t>(std::ceil(reach)) + 1;
  stride_ = (most + 3) / 4 * 4;
  const auto stride = static_cast<std::size_t>(stride_);
  first_.resize(n);
  count_.resize(n);
  coeffs_.assign(n * stride, 0);
  // PyTorch's rounding depends on the largest weight of all.
  const bool at_once = precision == TapPrecision::pillow;
  std::vector<double> weights(at_once ? stride : n * stride);
  double largest = 0.0;
  const auto round_row = [&](const double* row, std::size_t i, int bits) {
    std::int32_t* out = coeffs_.data() + i * stride;
    for (std::size_t k = 0; k < static_cast<std::size_t>(count_[i]); ++k)
      out[k] = static_cast<std::int32_t>(half_away(row[k] * (1 << bits)) << (kTapBits - bits));
  };
  for (std::size_t i = 0; i < n; ++i) {
    const double centre = begin + (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(half_up(centre - reach), 0);
    const auto last = std::min(half_up(centre + reach), src_size);
    const auto count = static_cast<std::size_t>(std::max<std::int64_t>(last - first, 0));
    first_[i] = static_cast<std::int32_t>(first);
    count_[i] = static_cast<std::int32_t>(count);
    double* row = weights.data() + (at_once ? 0 : i * stride);
    double total = 0.0;
    for (std::size_t k = 0; k < count; ++k) {
      const double at = static_cast<double>(first + static_cast<std::int64_t>(k));
      row[k] = weight_of(filter, (at - centre + 0.5) * per_pixel);
      total += row[k];
    }
    for (std::size_t k = 0; k < count; ++k) {
      if (total != 0.0) row[k] /= total;
      largest = std::max(largest, row[k]);
    }
    if (at_once) round_row(row, i, kTapBits);
  }
  if (at_once) return;
  const int bits = sixteen_bit_fraction(largest);
  for (std::size_t i = 0; i < n; ++i) round_row(weights.data() + i * stride, i, bits);
}

std::int64_t PillowTaps::first_source(std::int64_t begin) const {
  if (identity_) return begin;
  return first_[static_cast<std::size_t>(begin)];
}

std::int64_t PillowTaps::last_source(std::int64_t end) const {
  if (identity_) return end;
  const auto i = static_cast<std::size_t>(end - 1);
  return std::int64_t{first_[i]} + count_[i];
}

}  // namespace fovea::simd
