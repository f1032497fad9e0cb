#pragma once

#include <functional>

#include "canvas.hpp"
#include "random.hpp"

namespace fovea::demo {

/// The looks and the place of an object; positions and lengths in eighths of a pixel.
struct Shape {
  int cls = 0;
  int x = 0, y = 0;   ///< centre
  int radius = 0;     ///< nothing of the shape lies farther from the centre
  Direction heading;  ///< its rotation
  Rgb first, second, outline;
};

inline constexpr int kClasses = 6;

/// How deep (x, y) lies inside the shape, in 1024ths of its radius; not positive outside.
int depth_in(const Shape& shape, int x, int y);

/// Paints the shape, smooth at its edges, and calls `owned(x, y)` for the pixels of which it covers
/// at least half.
void paint_shape(Canvas& canvas, const Shape& shape, const std::function<void(int, int)>& owned);

/// Colours and rotation; class, place and radius are the caller's.
Shape draw_looks(Random& random);

}  // namespace fovea::demo
