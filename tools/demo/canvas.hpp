#pragma once

#include <algorithm>
#include <vector>

#include "paint.hpp"

namespace fovea::demo {

/// A picture in the making, and the two ways to put paint on it.
struct Canvas {
  int width = 0, height = 0;
  std::vector<Rgb> pixels;  ///< rows from the top

  Rgb& at(int x, int y) {
    return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(x)];
  }

  /// Calls `visit(x, y)` for the pixels of a rectangle, cut at the borders.
  template <class Visit>
  void each(int x0, int y0, int x1, int y1, Visit visit) {
    for (int y = std::max(y0, 0); y < std::min(y1, height); ++y)
      for (int x = std::max(x0, 0); x < std::min(x1, width); ++x) visit(x, y);
  }

  /// Blends `colour` over the pixels of a rectangle by `weight(x, y)`, 0..256.
  template <class Weight>
  void blend(int x0, int y0, int x1, int y1, Rgb colour, Weight weight) {
    each(x0, y0, x1, y1, [&](int x, int y) { at(x, y) = mix(at(x, y), colour, weight(x, y)); });
  }
};

}  // namespace fovea::demo
