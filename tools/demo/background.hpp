#pragma once

#include <vector>

#include "paint.hpp"
#include "random.hpp"

namespace fovea::demo {

/// Clutter: clouds of two or three muted colours with grain, soft blobs, strokes, and blank discs
/// and squares that have an object's outline but no texture. [height, width].
std::vector<Rgb> draw_background(Random& random, int width, int height);

}  // namespace fovea::demo
