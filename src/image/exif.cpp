#include "image/exif.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/parallel.hpp"
#include "image/byte_order.hpp"
#include "image/resample.hpp"

namespace fovea::image {
namespace {

constexpr std::size_t kTiffHeader = 8;
constexpr std::size_t kEntry = 12;
constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kShort = 3;
constexpr int kPixel = 3;

}  // namespace

int exif_orientation(std::span<const std::uint8_t> exif) {
  if (exif.size() < kTiffHeader) return 1;
  const bool little = has_text(exif, 0, std::string_view("II*\0", 4));
  if (!little && !has_text(exif, 0, std::string_view("MM\0*", 4))) return 1;
  const auto u16 = [&](std::size_t at) { return little ? le16(exif, at) : be16(exif, at); };
  const auto u32 = [&](std::size_t at) { return little ? le32(exif, at) : be32(exif, at); };

  const std::size_t directory = u32(4);
  if (directory > exif.size() - 2) return 1;
  const std::size_t entries = u16(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * kEntry;
    if (at + kEntry > exif.size()) return 1;
    if (u16(at) != kOrientationTag) continue;
    const std::uint32_t value = u16(at + 8);
    const bool valid = u16(at + 2) == kShort && u32(at + 4) == 1 && value >= 1 && value <= 8;
    return valid ? static_cast<int>(value) : 1;
  }
  return 1;
}

View oriented(const View& view, int width, int height, int orientation) {
  if (orientation <= 1 || orientation > 8) return view;
  const bool transposed = orientation >= 5;
  const bool mirrored_x =
      orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool mirrored_y =
      orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  View out = transposed ? View{view.y0, view.x0, view.y1, view.x1} : view;
  const double w = transposed ? height : width, h = transposed ? width : height;
  if (mirrored_x) out = {w - out.x1, out.y0, w - out.x0, out.y1};
  if (mirrored_y) out = {out.x0, h - out.y1, out.x1, h - out.y0};
  return out;
}

Image oriented(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  const std::ptrdiff_t w = image.width, h = image.height;
  Image out{transposed ? image.height : image.width, transposed ? image.width : image.height, {}};
  out.rgb.resize(image.rgb.size());

  // Each output pixel (x, y) is read from first + x * step_x + y * step_y.
  const std::ptrdiff_t right = kPixel, down = kPixel * w;
  const std::ptrdiff_t last_column = (w - 1) * right, last_row = (h - 1) * down;
  struct Walk {
    std::ptrdiff_t first, step_x, step_y;
  };
  const Walk walks[] = {
      {last_column, -right, down},              // 2: mirrored left to right
      {last_column + last_row, -right, -down},  // 3: upside down
      {last_row, right, -down},                 // 4: mirrored top to bottom
      {0, down, right},                         // 5: transposed
      {last_row, -down, right},                 // 6: to be turned clockwise
      {last_column + last_row, -down, -right},  // 7: transposed along the other diagonal
      {last_column, down, -right},              // 8: to be turned anticlockwise
  };
  const Walk walk = walks[orientation - 2];
  // A few rows at once: where rows become columns, each of them is in the same cache line.
  constexpr std::int64_t kRows = 16;
  const std::int64_t width = out.width, height = out.height;
  base::parallel_for(
      (height + kRows - 1) / kRows, rows_per_thread(kRows * width), [&](auto begin, auto end) {
        for (std::int64_t y = begin * kRows; y < std::min(end * kRows, height); y += kRows) {
          const std::int64_t rows = std::min(kRows, height - y);
          const std::uint8_t* from = image.rgb.data() + walk.first + y * walk.step_y;
          std::uint8_t* to = out.rgb.data() + y * width * kPixel;
          for (std::int64_t x = 0; x < width; ++x)
            for (std::int64_t row = 0; row < rows; ++row)
              std::memcpy(to + (row * width + x) * kPixel,
                          from + x * walk.step_x + row * walk.step_y, kPixel);
        }
      });
  return out;
}

}  // namespace fovea::image
