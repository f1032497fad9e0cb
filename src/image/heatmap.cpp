#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <opencv2/imgproc.hpp>
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

constexpr std::size_t kEntries = 256;
using Table = std::array<std::uint8_t, 3 * kEntries>;
using Colour = std::array<std::uint8_t, 3>;

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
  constexpr auto kMaps = std::to_array<int>(
      {cv::COLORMAP_JET, cv::COLORMAP_TURBO, cv::COLORMAP_VIRIDIS, cv::COLORMAP_INFERNO,
       cv::COLORMAP_MAGMA, cv::COLORMAP_PLASMA, cv::COLORMAP_CIVIDIS});
  static const auto tables = translated(Error(ErrorCode::internal, "no colormaps"), [&] {
    std::array<Table, kMaps.size()> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = make_table(kMaps[i]);
    return out;
  });
  const auto index = static_cast<std::size_t>(colormap);
  if (index >= tables.size()) throw Error(ErrorCode::invalid_argument, "unknown colormap");
  return tables[index];
}

std::uint8_t byte_of(double level) {
  return static_cast<std::uint8_t>(std::floor(level + 0.5));
}

/// What becomes of a value, one at a time: for what the kernels do not do.
class Brush {
 public:
  explicit Brush(const OverlayOptions& options)
      : options_(options),
        table_(options.colormap == Colormap::red_blue ? nullptr : &table_of(options.colormap)) {}

  Colour colour(float value) const {
    const double x = clamped(value);
    if (table_ == nullptr) {
      const auto faded = byte_of(options_.by_value ? 0 : 255 * (1 - std::abs(x)));
      return {x < 0 ? faded : std::uint8_t{255}, faded, x > 0 ? faded : std::uint8_t{255}};
    }
    const auto entry = 3 * static_cast<std::size_t>(255 * static_cast<float>(x));
    return {(*table_)[entry], (*table_)[entry + 1], (*table_)[entry + 2]};
  }
  double weight(float value) const {
    return options_.by_value ? std::min(1.0, 2 * options_.alpha * std::abs(clamped(value)))
                             : options_.alpha;
  }
  /// The map's colours over n pixels.
  void paint(const float* row, std::int64_t n, std::uint8_t* pixels) const {
    for (std::int64_t i = 0; i < n; ++i, pixels += 3) {
      const auto of = colour(row[i]);
      const double heat = weight(row[i]);
      for (std::size_t c = 0; c < 3; ++c)
        pixels[c] = byte_of((1 - heat) * pixels[c] + heat * of[c]);
    }
  }

 private:
  double clamped(float value) const {
    if (std::isnan(value)) return 0;
    return std::clamp<double>(value, table_ == nullptr ? -1 : 0, 1);
  }

  const OverlayOptions& options_;
  const Table* table_;  // null: red_blue
};

// Grey, half way to white.
void make_pale(std::uint8_t* pixels, std::int64_t n, std::vector<std::uint8_t>& scratch) {
  scratch.resize(static_cast<std::size_t>(n));
  simd::kernels().grey(pixels, 3, n, scratch.data());
  for (const auto level : scratch) {
    std::fill_n(pixels, 3, static_cast<std::uint8_t>((level + 255 + 1) / 2));
    pixels += 3;
  }
}

/// What of a picture the map covers.
struct Part {
  std::int64_t left, right, top, bottom;
};
Part part_of(const Tensor& map) {
  return {0, map.shape[1], 0, map.shape[0]};
}
Part part_of(const MapRows& map) {
  const auto &columns = map.seen_columns(), &rows = map.seen_rows();
  return {columns.begin, columns.end, rows.begin, rows.end};
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

// The map's colours blended with the picture's pixels where the map lies, a row at a time while it
// is in the cache.
template <class Map>
Image draw(const Map& map, const OverlayOptions& options, Image picture) {
  const Brush brush(options);
  const bool plain = options.colormap != Colormap::red_blue && !options.by_value;
  const Table* const table = plain ? &table_of(options.colormap) : nullptr;
  const auto part = part_of(map);
  const auto begin_row = part.left < part.right ? part.top : part.bottom;
  const std::int64_t width = picture.width, n = part.right - part.left;
  base::parallel_for(part.bottom - begin_row, rows_per_thread(width), [&](auto begin, auto end) {
    const simd::Kernels& kernels = simd::kernels();
    std::vector<std::uint8_t> heat(plain ? static_cast<std::size_t>(3 * n) : 0), grey;
    each_row(map, begin_row + begin, begin_row + end, [&](std::int64_t y, const float* row) {
      std::uint8_t* pixels = picture.rgb.data() + 3 * (y * width + part.left);
      row += part.left;
      if (options.pale) make_pale(pixels, n, grey);
      if (!plain) return brush.paint(row, n, pixels);
      const bool opaque = options.alpha == 1;
      kernels.colormap(row, n, table->data(), opaque ? pixels : heat.data());
      if (opaque) return;
      kernels.blend(pixels, heat.data(), static_cast<float>(options.alpha), 3 * n, pixels);
    });
  });
  return picture;
}

// With a heat map there is nothing below.
OverlayOptions opaque(Colormap colormap) {
  return {.alpha = 1, .colormap = colormap};
}

}  // namespace
}  // namespace image

Image heatmap(const Tensor& map, Colormap colormap) {
  image::check_map(map);
  image::check_extents(map.shape[1], map.shape[0], ErrorCode::invalid_argument);
  return image::guarded([&] {
    return image::draw(map, image::opaque(colormap), image::blank(map.shape[1], map.shape[0]));
  });
}

Image heatmap(const Tensor& map, const View& view, int photo_width, int photo_height,
              Colormap colormap) {
  return image::guarded([&] {
    const image::MapRows rows(map, view, photo_width, photo_height);
    Image out = image::blank(photo_width, photo_height);
    for (std::size_t i = 0; i < out.rgb.size(); ++i) out.rgb[i] = kUnseen[i % 3];
    return image::draw(rows, image::opaque(colormap), std::move(out));
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
    if (!options.view) return image::draw(map, options, std::move(photo));
    const image::MapRows rows(map, *options.view, photo.width, photo.height);
    return image::draw(rows, options, std::move(photo));
  });
}

Image enlarged(const Image& image, int times) {
  image::check_image(image);
  if (times < 1) throw Error(ErrorCode::invalid_argument, "a picture is enlarged 1 time or more");
  image::check_extents(std::int64_t{times} * image.width, std::int64_t{times} * image.height,
                       ErrorCode::invalid_argument);
  return image::guarded([&] {
    Image out = image::blank(std::int64_t{times} * image.width, std::int64_t{times} * image.height);
    auto* to = out.rgb.data();
    for (int y = 0; y < out.height; ++y)
      for (int x = 0; x < out.width; ++x, to += 3) {
        const auto from = 3 * (std::int64_t{y / times} * image.width + x / times);
        std::copy_n(image.rgb.data() + from, 3, to);
      }
    return out;
  });
}

}  // namespace fovea
