#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fovea/image.hpp"
#include "simd/kernels.hpp"

namespace fovea::image {

/// Bilinear taps of a photo's pixels along one axis of a map that covers [from, to) of it.
class ViewTaps {
 public:
  ViewTaps(std::int64_t map, double from, double to, std::int64_t photo);

  /// Pixels outside the view have valid taps too (the edge's), so that a kernel may run over whole
  /// rows. Valid as long as this object.
  simd::LinearAxis axis() const { return {lo_.data(), hi_.data(), frac_.data()}; }

  std::int64_t begin = 0, end = 0;  ///< the photo's pixels whose centres lie in the view

 private:
  std::vector<std::int32_t> lo_, hi_;
  std::vector<float> frac_;
};

/// A map brought to the photo's pixels, a few rows at a time: at the size of a large photo it is
/// slower to hold than to compute. Any number of threads may read at once.
class MapRows {
 public:
  /// Throws Error(invalid_argument) for a map, view or extents that make no sense. Refers to `map`.
  MapRows(const Tensor& map, const View& view, int photo_width, int photo_height);

  std::int64_t width() const { return width_; }
  std::int64_t height() const { return height_; }
  /// The photo's pixels whose centres lie in the view: columns of rows.
  const ViewTaps& seen_columns() const { return columns_; }
  const ViewTaps& seen_rows() const { return rows_; }

  /// What `read` needs for itself.
  std::vector<float> scratch() const {
    return std::vector<float>(2 * static_cast<std::size_t>(width_));
  }

  /// Rows [begin, end), 0 outside the view, as rows of width() floats from `out` on.
  void read(std::int64_t begin, std::int64_t end, float* scratch, float* out) const;

  /// body(y, row of width() floats) for each row of [begin, end).
  template <class Body>
  void each_row(std::int64_t begin, std::int64_t end, Body&& body) const {
    // As many rows as stay in the cache until the body has seen them.
    constexpr std::int64_t kFloats = 1 << 15;
    const std::int64_t most = std::max<std::int64_t>(1, kFloats / width_);
    std::vector<float> own = scratch();
    std::vector<float> rows(static_cast<std::size_t>(std::min(most, end - begin) * width_));
    for (std::int64_t y = begin; y < end; y += most) {
      const std::int64_t stop = std::min(y + most, end);
      read(y, stop, own.data(), rows.data());
      for (std::int64_t row = y; row < stop; ++row) body(row, rows.data() + (row - y) * width_);
    }
  }

 private:
  const Tensor& map_;
  std::int64_t width_, height_;
  ViewTaps columns_, rows_;
};

}  // namespace fovea::image
