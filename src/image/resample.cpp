#include "image/resample.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <opencv2/imgproc.hpp>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "image/opencv.hpp"
#include "simd/kernels.hpp"
#include "simd/resize.hpp"

namespace fovea::image {
namespace {

Picture make_picture(std::int64_t width, std::int64_t height, std::int64_t channels) {
  const std::int64_t shape[] = {height, width, channels};
  const auto bytes = base::element_count(shape, ErrorCode::invalid_argument);
  return {width, height, channels, std::vector<std::uint8_t>(static_cast<std::size_t>(bytes))};
}

// The crop of the photo, as a pointer and the distance between its rows.
struct Source {
  const std::uint8_t* bytes;
  std::int64_t stride, channels;
};

Source crop_of(const PictureView& photo, const Placement& placement) {
  const std::int64_t stride = photo.width * photo.channels;
  return {photo.bytes + placement.y.crop * stride + placement.x.crop * photo.channels, stride,
          photo.channels};
}

simd::PillowAxis tail(simd::PillowAxis axis, std::int64_t begin) {
  axis.first += begin;
  axis.count += begin;
  axis.coeffs += begin * axis.stride;
  return axis;
}

// Columns first, then rows, bytes in between, and no pass that changes nothing: as Pillow does, to
// the bit. Only the window that is taken is computed, from the rows that it needs.
Picture antialiased(const PictureView& photo, const Placement& placement, simd::PillowFilter filter,
                    simd::TapPrecision precision) {
  const Axis &x = placement.x, &y = placement.y;
  const simd::Kernels& kernels = simd::kernels();
  Source source = crop_of(photo, placement);
  const std::int64_t row_bytes = x.count * source.channels;
  const simd::PillowTaps columns(x.crop_size, x.resized, x.from, x.to, filter, precision);
  const simd::PillowTaps rows(y.crop_size, y.resized, y.from, y.to, filter, precision);
  const std::int64_t top = rows.first_source(y.take);
  const std::int64_t bottom = rows.last_source(y.take + y.count);

  Picture narrowed;
  source.bytes += top * source.stride;
  if (columns.identity()) {
    source.bytes += x.take * source.channels;
  } else {
    narrowed = make_picture(x.count, bottom - top, source.channels);
    const simd::PillowAxis axis = tail(columns.axis(), x.take);
    base::parallel_for(bottom - top, rows_per_thread(x.crop_size), [&](auto begin, auto end) {
      kernels.pillow_columns(source.bytes, source.stride, x.crop_size, source.channels, axis,
                             x.count, begin, end, narrowed.bytes.data(), row_bytes);
    });
    source = {narrowed.bytes.data(), row_bytes, source.channels};
  }

  if (rows.identity() && !narrowed.bytes.empty()) return narrowed;
  Picture out = make_picture(x.count, y.count, source.channels);
  if (rows.identity()) {
    for (std::int64_t i = 0; i < y.count; ++i)
      std::memcpy(out.bytes.data() + i * row_bytes, source.bytes + i * source.stride,
                  static_cast<std::size_t>(row_bytes));
    return out;
  }
  simd::PillowAxis axis = tail(rows.axis(), y.take);
  std::vector<std::int32_t> first(axis.first, axis.first + y.count);
  for (auto& row : first) row -= static_cast<std::int32_t>(top);
  axis.first = first.data();
  base::parallel_for(y.count, rows_per_thread(x.count), [&](auto begin, auto end) {
    kernels.pillow_rows(source.bytes, source.stride, row_bytes, axis, begin, end, out.bytes.data(),
                        row_bytes);
  });
  return out;
}

// The pixel under each centre, found as Pillow does, by adding up the step: where a centre lies on
// the edge of two pixels, the sum's rounding decides.
std::vector<std::int64_t> nearest_by_sum(const Axis& axis) {
  const double step = static_cast<double>(axis.crop_size) / static_cast<double>(axis.resized);
  std::vector<std::int64_t> out;
  double at = step * 0.5;
  for (std::int64_t i = 0; i < axis.take + axis.count; ++i, at += step)
    if (i >= axis.take) out.push_back(std::min(static_cast<std::int64_t>(at), axis.crop_size - 1));
  return out;
}

// The same as PyTorch's "nearest-exact" finds it, in single precision.
std::vector<std::int64_t> nearest_by_product(const Axis& axis) {
  const float step = static_cast<float>(axis.crop_size) / static_cast<float>(axis.resized);
  std::vector<std::int64_t> out;
  for (std::int64_t i = axis.take; i < axis.take + axis.count; ++i) {
    const float at = (static_cast<float>(i) + 0.5f) * step;
    out.push_back(std::min(static_cast<std::int64_t>(at), axis.crop_size - 1));
  }
  return out;
}

Picture picked(const PictureView& photo, const Placement& placement,
               const std::vector<std::int64_t>& columns, const std::vector<std::int64_t>& rows) {
  const Source source = crop_of(photo, placement);
  Picture out = make_picture(placement.x.count, placement.y.count, source.channels);
  std::uint8_t* to = out.bytes.data();
  for (const std::int64_t row : rows)
    for (const std::int64_t column : columns) {
      std::memcpy(to, source.bytes + row * source.stride + column * source.channels,
                  static_cast<std::size_t>(source.channels));
      to += source.channels;
    }
  return out;
}

Picture with_opencv(const PictureView& photo, const Placement& placement, int interpolation) {
  const Axis &x = placement.x, &y = placement.y;
  const Source source = crop_of(photo, placement);
  const int type = CV_8UC(static_cast<int>(source.channels));
  return translated(Error(ErrorCode::internal, "the photo cannot be resized"), [&] {
    const cv::Mat crop(static_cast<int>(y.crop_size), static_cast<int>(x.crop_size), type,
                       const_cast<std::uint8_t*>(source.bytes),
                       static_cast<std::size_t>(source.stride));
    cv::Mat resized;
    cv::resize(crop, resized, cv::Size(static_cast<int>(x.resized), static_cast<int>(y.resized)), 0,
               0, interpolation);
    Picture out = make_picture(x.count, y.count, source.channels);
    const auto row_bytes = static_cast<std::size_t>(x.count * source.channels);
    for (std::int64_t i = 0; i < y.count; ++i)
      std::memcpy(out.bytes.data() + static_cast<std::size_t>(i) * row_bytes,
                  resized.ptr(static_cast<int>(y.take + i), static_cast<int>(x.take)), row_bytes);
    return out;
  });
}

}  // namespace

std::int64_t rows_per_thread(std::int64_t width) {
  constexpr std::int64_t kPixels = 1 << 14;
  return std::max<std::int64_t>(1, kPixels / width);
}

Picture resample(const PictureView& photo, const Placement& placement, Preprocess::Resize how) {
  using Resize = Preprocess::Resize;
  using Filter = simd::PillowFilter;
  using simd::TapPrecision;
  const Axis &x = placement.x, &y = placement.y;
  switch (how) {
    case Resize::bilinear_antialias:
      return antialiased(photo, placement, Filter::bilinear, TapPrecision::pillow);
    case Resize::bicubic_antialias:
      return antialiased(photo, placement, Filter::bicubic, TapPrecision::pillow);
    case Resize::lanczos_antialias:
      return antialiased(photo, placement, Filter::lanczos, TapPrecision::pillow);
    case Resize::hamming_antialias:
      return antialiased(photo, placement, Filter::hamming, TapPrecision::pillow);
    case Resize::box_antialias:
      return antialiased(photo, placement, Filter::box, TapPrecision::pillow);
    case Resize::bilinear_tensor:
      return antialiased(photo, placement, Filter::bilinear, TapPrecision::torch);
    case Resize::bicubic_tensor:
      return antialiased(photo, placement, Filter::bicubic, TapPrecision::torch);
    case Resize::lanczos_tensor:
      return antialiased(photo, placement, Filter::lanczos, TapPrecision::torch);
    case Resize::nearest:
      return picked(photo, placement, nearest_by_sum(x), nearest_by_sum(y));
    case Resize::nearest_tensor:
      return picked(photo, placement, nearest_by_product(x), nearest_by_product(y));
    case Resize::bilinear:
      return with_opencv(photo, placement, cv::INTER_LINEAR);
    case Resize::area:
      return with_opencv(photo, placement, cv::INTER_AREA);
  }
  throw Error(ErrorCode::invalid_argument, "unknown way to resize");
}

}  // namespace fovea::image
