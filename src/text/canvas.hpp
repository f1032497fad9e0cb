#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fovea::text {

using Colour = std::array<std::uint8_t, 3>;  // RGB

/// A picture's pixels, 8-bit RGB without padding, drawn into; what lies outside is left out.
struct Canvas {
  std::uint8_t* rgb = nullptr;
  int width = 0;
  int height = 0;

  std::uint8_t* at(int x, int y) const {
    return rgb + 3 * (static_cast<std::ptrdiff_t>(y) * width + x);
  }
  bool has(int x, int y) const { return 0 <= x && x < width && 0 <= y && y < height; }

  /// `share` of 255 of the pixel becomes the colour.
  void blend(int x, int y, const Colour& colour, unsigned share) const {
    if (share == 0 || !has(x, y)) return;
    std::uint8_t* pixel = at(x, y);
    for (std::size_t c = 0; c < 3; ++c)
      pixel[c] =
          static_cast<std::uint8_t>((colour[c] * share + pixel[c] * (255 - share) + 127) / 255);
  }
};

}  // namespace fovea::text
