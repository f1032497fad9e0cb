#include <array>
#include <cstddef>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <string>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "image/check.hpp"
#include "image/opencv.hpp"
#include "image/resample.hpp"
#include "simd/kernels.hpp"

namespace fovea {
namespace image {
namespace {

using Table = std::array<std::uint8_t, std::size_t{3} * 256>;

Table make_table(int opencv_colormap) {
  cv::Mat ramp(1, 256, CV_8UC1), bgr;
  for (int i = 0; i < 256; ++i) ramp.at<std::uint8_t>(i) = static_cast<std::uint8_t>(i);
  cv::applyColorMap(ramp, bgr, opencv_colormap);
  Table table;
  for (std::size_t i = 0; i < 256; ++i)
    for (std::size_t c = 0; c < 3; ++c) table[3 * i + c] = bgr.ptr<std::uint8_t>(0)[3 * i + 2 - c];
  return table;
}

const Table& table_of(Colormap colormap) {
  static const auto tables = translated(Error(ErrorCode::internal, "no colormaps"), [] {
    return std::array<Table, 4>{make_table(cv::COLORMAP_JET), make_table(cv::COLORMAP_TURBO),
                                make_table(cv::COLORMAP_VIRIDIS), make_table(cv::COLORMAP_INFERNO)};
  });
  const auto index = static_cast<std::size_t>(colormap);
  if (index >= tables.size()) throw Error(ErrorCode::invalid_argument, "unknown colormap");
  return tables[index];
}

// Colours the map, and blends each piece with `photo` (same extents) where there is one, while it
// is still in the cache.
Image draw(const Tensor& map, Colormap colormap, const std::uint8_t* photo, double alpha) {
  check_extents(map.shape[1], map.shape[0], ErrorCode::invalid_argument);
  const Table& table = table_of(colormap);
  Image out{static_cast<int>(map.shape[1]), static_cast<int>(map.shape[0]), {}};
  const std::int64_t shape[] = {map.shape[0], map.shape[1], 3};
  out.rgb.resize(static_cast<std::size_t>(base::element_count(shape, ErrorCode::invalid_argument)));
  const std::int64_t width = map.shape[1];
  base::parallel_for(map.shape[0], rows_per_thread(width), [&](auto begin, auto end) {
    const simd::Kernels& kernels = simd::kernels();
    for (std::int64_t y = begin; y < end; ++y) {
      std::uint8_t* row = out.rgb.data() + 3 * y * width;
      kernels.colormap(map.data.data() + y * width, width, table.data(), row);
      if (photo != nullptr)
        kernels.blend(photo + 3 * y * width, row, static_cast<float>(alpha), 3 * width, row);
    }
  });
  return out;
}

}  // namespace
}  // namespace image

Image heatmap(const Tensor& map, Colormap colormap) {
  image::check_map(map);
  return image::guarded([&] { return image::draw(map, colormap, nullptr, 1.0); });
}

Image overlay(const Image& photo, const Tensor& map, const OverlayOptions& options) {
  image::check_image(photo);
  image::check_map(map);
  if (map.shape[0] != photo.height || map.shape[1] != photo.width)
    throw Error(ErrorCode::invalid_argument,
                "the map is " + std::to_string(map.shape[1]) + " x " +
                    std::to_string(map.shape[0]) + " and the photo " + std::to_string(photo.width) +
                    " x " + std::to_string(photo.height) + ": see map_on_photo");
  if (!(options.alpha >= 0.0 && options.alpha <= 1.0))
    throw Error(ErrorCode::invalid_argument, "alpha must be 0 to 1");
  return image::guarded(
      [&] { return image::draw(map, options.colormap, photo.rgb.data(), options.alpha); });
}

}  // namespace fovea
