#include <array>
#include <cstddef>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "image/check.hpp"
#include "image/map_rows.hpp"
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

// body(y, row) for rows [begin, end) of a map that has the picture's extents.
template <class Body>
void each_row(const Tensor& map, std::int64_t begin, std::int64_t end, Body&& body) {
  for (std::int64_t y = begin; y < end; ++y) body(y, map.data.data() + y * map.shape[1]);
}
template <class Body>
void each_row(const MapRows& map, std::int64_t begin, std::int64_t end, Body&& body) {
  map.each_row(begin, end, body);
}

Image blank(std::int64_t width, std::int64_t height) {
  Image out{static_cast<int>(width), static_cast<int>(height), {}};
  const std::int64_t shape[] = {height, width, 3};
  out.rgb.resize(static_cast<std::size_t>(base::element_count(shape, ErrorCode::invalid_argument)));
  return out;
}

// The map's colours in the place of the picture's pixels, or blended with them, a row at a time
// while it is in the cache.
template <class Map>
Image draw(const Map& map, Colormap colormap, std::optional<double> alpha, Image picture) {
  const Table& table = table_of(colormap);
  const std::int64_t width = picture.width;
  base::parallel_for(picture.height, rows_per_thread(width), [&](auto begin, auto end) {
    const simd::Kernels& kernels = simd::kernels();
    std::vector<std::uint8_t> heat(alpha ? static_cast<std::size_t>(3 * width) : 0);
    each_row(map, begin, end, [&](std::int64_t y, const float* row) {
      std::uint8_t* pixels = picture.rgb.data() + 3 * y * width;
      kernels.colormap(row, width, table.data(), alpha ? heat.data() : pixels);
      if (alpha) kernels.blend(pixels, heat.data(), static_cast<float>(*alpha), 3 * width, pixels);
    });
  });
  return picture;
}

}  // namespace
}  // namespace image

Image heatmap(const Tensor& map, Colormap colormap) {
  image::check_map(map);
  image::check_extents(map.shape[1], map.shape[0], ErrorCode::invalid_argument);
  return image::guarded(
      [&] { return image::draw(map, colormap, {}, image::blank(map.shape[1], map.shape[0])); });
}

Image heatmap(const Tensor& map, const View& view, int photo_width, int photo_height,
              Colormap colormap) {
  return image::guarded([&] {
    const image::MapRows rows(map, view, photo_width, photo_height);
    return image::draw(rows, colormap, {}, image::blank(photo_width, photo_height));
  });
}

Image overlay(Image photo, const Tensor& map, const OverlayOptions& options) {
  image::check_image(photo);
  image::check_map(map);
  if (!options.view && (map.shape[0] != photo.height || map.shape[1] != photo.width))
    throw Error(ErrorCode::invalid_argument,
                "the map is " + std::to_string(map.shape[1]) + " x " +
                    std::to_string(map.shape[0]) + " and the photo " + std::to_string(photo.width) +
                    " x " + std::to_string(photo.height) + ": see OverlayOptions::view");
  if (!(options.alpha >= 0.0 && options.alpha <= 1.0))
    throw Error(ErrorCode::invalid_argument, "alpha must be 0 to 1");
  return image::guarded([&] {
    if (!options.view) return image::draw(map, options.colormap, options.alpha, std::move(photo));
    const image::MapRows rows(map, *options.view, photo.width, photo.height);
    return image::draw(rows, options.colormap, options.alpha, std::move(photo));
  });
}

}  // namespace fovea
