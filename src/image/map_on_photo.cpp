#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "image/check.hpp"
#include "image/resample.hpp"
#include "simd/kernels.hpp"

namespace fovea {
namespace image {
namespace {

// The taps of the photo's pixels along one axis, and which of them the view covers. Pixels outside
// have valid taps too (the edge's), so that a kernel may run over whole rows.
struct ViewTaps {
  std::vector<std::int32_t> lo, hi;
  std::vector<float> frac;
  std::int64_t begin = 0, end = 0;

  ViewTaps(std::int64_t map, double from, double to, std::int64_t photo)
      : lo(static_cast<std::size_t>(photo)), hi(lo.size()), frac(lo.size()) {
    const double last = static_cast<double>(map - 1);
    begin = photo;
    for (std::int64_t i = 0; i < photo; ++i) {
      const double centre = static_cast<double>(i) + 0.5;
      const bool seen = from <= centre && centre < to;
      if (seen) begin = std::min(begin, i);
      if (seen) end = i + 1;
      const double at = (centre - from) / (to - from) * static_cast<double>(map) - 0.5;
      const double clamped = std::clamp(at, 0.0, last);
      const double whole = std::floor(clamped);
      const auto tap = static_cast<std::size_t>(i);
      lo[tap] = static_cast<std::int32_t>(whole);
      hi[tap] = static_cast<std::int32_t>(std::min(whole + 1, last));
      frac[tap] = static_cast<float>(clamped - whole);
    }
    begin = std::min(begin, end);
  }

  simd::LinearAxis axis() const { return {lo.data(), hi.data(), frac.data()}; }
};

void check_view(const View& view) {
  const bool finite = std::isfinite(view.x0) && std::isfinite(view.x1) && std::isfinite(view.y0) &&
                      std::isfinite(view.y1);
  if (!finite || !(view.x0 < view.x1) || !(view.y0 < view.y1))
    throw Error(ErrorCode::invalid_argument, "a view must be a rectangle with a positive area");
}

}  // namespace
}  // namespace image

Tensor map_on_photo(const Tensor& map, const View& view, int photo_width, int photo_height) {
  using namespace image;
  check_map(map);
  check_view(view);
  check_extents(photo_width, photo_height, ErrorCode::invalid_argument);
  return guarded([&] {
    const std::int64_t width = photo_width;
    const ViewTaps columns(map.shape[1], view.x0, view.x1, width);
    const ViewTaps rows(map.shape[0], view.y0, view.y1, photo_height);
    Tensor out{{photo_height, width}, {}};
    out.data.assign(
        static_cast<std::size_t>(base::element_count(out.shape, ErrorCode::invalid_argument)),
        0.0f);
    if (columns.begin == columns.end || rows.begin == rows.end) return out;

    // One scratch per piece, made here because the pieces run where nothing may throw.
    const std::int64_t seen = rows.end - rows.begin;
    const std::int64_t pieces =
        std::clamp<std::int64_t>(seen / rows_per_thread(width), 1, base::max_threads());
    std::vector<float> scratch(static_cast<std::size_t>(pieces * 2 * width));
    base::parallel_for(pieces, 2, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t piece = first; piece < last; ++piece) {
        const std::int64_t begin = rows.begin + seen * piece / pieces;
        const std::int64_t end = rows.begin + seen * (piece + 1) / pieces;
        simd::kernels().resize_bilinear(map.data.data(), map.shape[1], columns.axis(), rows.axis(),
                                        width, begin, end, scratch.data() + piece * 2 * width,
                                        out.data.data());
        for (std::int64_t y = begin; y < end; ++y) {
          float* row = out.data.data() + y * width;
          std::fill(row, row + columns.begin, 0.0f);
          std::fill(row + columns.end, row + width, 0.0f);
        }
      }
    });
    return out;
  });
}

}  // namespace fovea
