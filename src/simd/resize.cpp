#include "simd/resize.hpp"

#include <algorithm>
#include <cmath>

namespace fovea::simd {
namespace {

/// Adds a half and truncates towards zero, as Pillow does: not the nearest integer for negative
/// values, nor always at a tie.
std::int64_t half_up(double value) {
  value += 0.5;
  return static_cast<std::int64_t>(value);
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

PillowTaps::PillowTaps(std::int64_t src_size, std::int64_t dst_size, double begin, double end)
    : identity_(src_size == dst_size && begin == 0.0 && end == static_cast<double>(src_size)) {
  // The triangle filter reaches one source pixel to each side, or one output pixel when shrinking.
  const double scale = (end - begin) / static_cast<double>(dst_size);
  const double reach = std::max(scale, 1.0);
  const double per_pixel = 1.0 / reach;
  const auto n = static_cast<std::size_t>(dst_size);
  const std::int64_t most = 2 * static_cast<std::int64_t>(std::ceil(reach)) + 1;
  stride_ = (most + 3) / 4 * 4;
  first_.resize(n);
  count_.resize(n);
  coeffs_.assign(n * static_cast<std::size_t>(stride_), 0);
  std::vector<double> weights(static_cast<std::size_t>(stride_));
  for (std::size_t i = 0; i < n; ++i) {
    const double centre = begin + (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(half_up(centre - reach), 0);
    const auto last = std::min(half_up(centre + reach), src_size);
    const auto count = static_cast<std::size_t>(std::max<std::int64_t>(last - first, 0));
    double total = 0.0;
    for (std::size_t k = 0; k < count; ++k) {
      const double at = static_cast<double>(first + static_cast<std::int64_t>(k));
      const double distance = std::abs((at - centre + 0.5) * per_pixel);
      weights[k] = distance < 1.0 ? 1.0 - distance : 0.0;
      total += weights[k];
    }
    std::int32_t* out = coeffs_.data() + i * static_cast<std::size_t>(stride_);
    for (std::size_t k = 0; k < count; ++k) {
      const double weight = total != 0.0 ? weights[k] / total : weights[k];
      out[k] = static_cast<std::int32_t>(half_up(weight * (1 << 22)));
    }
    first_[i] = static_cast<std::int32_t>(first);
    count_[i] = static_cast<std::int32_t>(count);
  }
}

std::int64_t PillowTaps::first_source(std::int64_t begin) const {
  return first_[static_cast<std::size_t>(begin)];
}

std::int64_t PillowTaps::last_source(std::int64_t end) const {
  const auto i = static_cast<std::size_t>(end - 1);
  return std::int64_t{first_[i]} + count_[i];
}

}  // namespace fovea::simd
