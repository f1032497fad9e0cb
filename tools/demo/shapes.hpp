#pragma once

#include <optional>

#include "paint.hpp"
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

/// The colour of the shape at (x, y); nothing outside.
std::optional<Rgb> colour_of(const Shape& shape, int x, int y);

/// Colours and rotation; class, place and radius are the caller's.
Shape draw_looks(Random& random);

}  // namespace fovea::demo
