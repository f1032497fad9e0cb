#include "image/exif.hpp"

#include <cstddef>
#include <utility>

#include "image/byte_order.hpp"

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
  std::uint8_t* to = out.rgb.data();
  for (int y = 0; y < out.height; ++y) {
    const std::uint8_t* from = image.rgb.data() + walk.first + y * walk.step_y;
    for (int x = 0; x < out.width; ++x, to += kPixel) {
      const std::uint8_t* pixel = from + x * walk.step_x;
      to[0] = pixel[0];
      to[1] = pixel[1];
      to[2] = pixel[2];
    }
  }
  return out;
}

}  // namespace fovea::image
