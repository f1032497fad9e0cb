#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <tuple>
#include <utility>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "image/check.hpp"
#include "image/map_rows.hpp"
#include "image/resample.hpp"
#include "simd/kernels.hpp"

namespace fovea {
namespace image {
namespace {

void check_view(const View& view, int photo_width, int photo_height) {
  const bool finite = std::isfinite(view.x0) && std::isfinite(view.x1) && std::isfinite(view.y0) &&
                      std::isfinite(view.y1);
  if (!finite || !(view.x0 < view.x1) || !(view.y0 < view.y1))
    throw Error(ErrorCode::invalid_argument, "a view must be a rectangle with a positive area");
  check_extents(photo_width, photo_height, ErrorCode::invalid_argument);
}

const Tensor& checked(const Tensor& map, const View& view, int photo_width, int photo_height) {
  check_map(map);
  check_view(view, photo_width, photo_height);
  return map;
}

// The pixels of one axis whose centres lie in [from, to), as begin and end.
std::pair<std::int64_t, std::int64_t> seen(double from, double to, std::int64_t photo) {
  const auto first_at = [photo](double edge) {
    const double first = std::ceil(edge - 0.5);  // the first pixel whose centre is not before it
    return static_cast<std::int64_t>(std::clamp(first, 0.0, static_cast<double>(photo)));
  };
  return {first_at(from), first_at(to)};
}

}  // namespace

ViewTaps::ViewTaps(std::int64_t map, double from, double to, std::int64_t photo)
    : lo_(static_cast<std::size_t>(photo)), hi_(lo_.size()), frac_(lo_.size()) {
  const double last = static_cast<double>(map - 1);
  std::tie(begin, end) = seen(from, to, photo);
  for (std::int64_t i = 0; i < photo; ++i) {
    const double centre = static_cast<double>(i) + 0.5;
    const double at = (centre - from) / (to - from) * static_cast<double>(map) - 0.5;
    const double clamped = std::clamp(at, 0.0, last);
    const double whole = std::floor(clamped);
    const auto tap = static_cast<std::size_t>(i);
    lo_[tap] = static_cast<std::int32_t>(whole);
    hi_[tap] = static_cast<std::int32_t>(std::min(whole + 1, last));
    frac_[tap] = static_cast<float>(clamped - whole);
  }
}

MapRows::MapRows(const Tensor& map, const View& view, int photo_width, int photo_height)
    : map_(checked(map, view, photo_width, photo_height)),
      width_(photo_width),
      height_(photo_height),
      columns_(map.shape[1], view.x0, view.x1, photo_width),
      rows_(map.shape[0], view.y0, view.y1, photo_height) {}

void MapRows::read(std::int64_t begin, std::int64_t end, float* scratch, float* out) const {
  const bool seen = columns_.begin < columns_.end;
  const std::int64_t first = seen ? std::clamp(rows_.begin, begin, end) : end;
  const std::int64_t last = seen ? std::clamp(rows_.end, first, end) : end;
  std::fill(out, out + (first - begin) * width_, 0.0f);
  std::fill(out + (last - begin) * width_, out + (end - begin) * width_, 0.0f);
  if (first == last) return;
  simd::LinearAxis rows = rows_.axis();
  rows = {rows.lo + begin, rows.hi + begin, rows.frac + begin};
  simd::kernels().resize_bilinear(map_.data.data(), map_.shape[1], columns_.axis(), rows, width_,
                                  first - begin, last - begin, scratch, out);
  for (std::int64_t y = first; y < last; ++y) {
    float* row = out + (y - begin) * width_;
    std::fill(row, row + columns_.begin, 0.0f);
    std::fill(row + columns_.end, row + width_, 0.0f);
  }
}

}  // namespace image

std::optional<Box> seen_box(const View& view, int photo_width, int photo_height) {
  image::check_view(view, photo_width, photo_height);
  const auto [left, right] = image::seen(view.x0, view.x1, photo_width);
  const auto [top, bottom] = image::seen(view.y0, view.y1, photo_height);
  if (left >= right || top >= bottom) return std::nullopt;
  return Box{left, top, right - left, bottom - top};
}

Tensor map_on_photo(const Tensor& map, const View& view, int photo_width, int photo_height) {
  using namespace image;
  return guarded([&] {
    const MapRows rows(map, view, photo_width, photo_height);
    Tensor out{{rows.height(), rows.width()}, {}};
    out.data.resize(
        static_cast<std::size_t>(base::element_count(out.shape, ErrorCode::invalid_argument)));
    base::parallel_for(rows.height(), rows_per_thread(rows.width()), [&](auto begin, auto end) {
      rows.read(begin, end, rows.scratch().data(), out.data.data() + begin * rows.width());
    });
    return out;
  });
}

namespace image {
namespace {

// The first largest value of rows [begin, end) that is neither NaN nor 0.
std::optional<Peak> peak_of(const MapRows& rows, std::int64_t begin, std::int64_t end) {
  std::optional<Peak> best;
  rows.each_row(begin, end, [&](std::int64_t y, const float* row) {
    const float* const stop = row + rows.width();
    // One look at the row as a whole, which mostly is enough.
    const auto stats = simd::kernels().min_max(row, rows.width());
    float largest = stats.max;
    if (best && !(largest > best->value)) return;
    if (largest == 0) {
      largest = -std::numeric_limits<float>::infinity();
      for (const float* at = row; at != stop && stats.min < 0; ++at)
        if (*at < 0 && *at > largest) largest = *at;
    }
    const float* const found = std::find(row, stop, largest);
    if (found != stop && (!best || largest > best->value)) best = {y, found - row, largest};
  });
  return best;
}

}  // namespace
}  // namespace image

std::optional<Peak> peak_on_photo(const Tensor& map, const View& view, int photo_width,
                                  int photo_height) {
  using namespace image;
  return guarded([&] {
    const MapRows rows(map, view, photo_width, photo_height);
    std::optional<Peak> best;
    std::mutex lock;
    base::parallel_for(rows.height(), rows_per_thread(rows.width()), [&](auto begin, auto end) {
      const auto found = peak_of(rows, begin, end);
      if (!found) return;
      const std::scoped_lock guard(lock);
      const bool better = !best || found->value > best->value ||
                          (found->value == best->value && found->row < best->row);
      if (better) best = found;
    });
    return best;
  });
}

}  // namespace fovea
