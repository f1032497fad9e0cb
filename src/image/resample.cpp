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
Picture antialiased(const PictureView& photo, const Placement& placement) {
  const Axis &x = placement.x, &y = placement.y;
  const simd::Kernels& kernels = simd::kernels();
  Source source = crop_of(photo, placement);
  const std::int64_t row_bytes = x.count * source.channels;
  const simd::PillowTaps columns(x.crop_size, x.resized, x.from, x.to);
  const simd::PillowTaps rows(y.crop_size, y.resized, y.from, y.to);
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

// The pixel under the centre of each output pixel.
Picture nearest(const PictureView& photo, const Placement& placement) {
  const Axis &x = placement.x, &y = placement.y;
  const auto pick = [](const Axis& axis, std::int64_t i) {
    return ((axis.take + i) * 2 + 1) * axis.crop_size / (axis.resized * 2);
  };
  const Source source = crop_of(photo, placement);
  Picture out = make_picture(x.count, y.count, source.channels);
  std::uint8_t* to = out.bytes.data();
  for (std::int64_t row = 0; row < y.count; ++row) {
    const std::uint8_t* line = source.bytes + pick(y, row) * source.stride;
    for (std::int64_t column = 0; column < x.count; ++column, to += source.channels)
      std::memcpy(to, line + pick(x, column) * source.channels,
                  static_cast<std::size_t>(source.channels));
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
  switch (how) {
    case Preprocess::Resize::bilinear_antialias:
      return antialiased(photo, placement);
    case Preprocess::Resize::bilinear:
      return with_opencv(photo, placement, cv::INTER_LINEAR);
    case Preprocess::Resize::nearest:
      return nearest(photo, placement);
    case Preprocess::Resize::area:
      return with_opencv(photo, placement, cv::INTER_AREA);
  }
  throw Error(ErrorCode::invalid_argument, "unknown way to resize");
}

}  // namespace fovea::image
