#pragma once

#include "canvas.hpp"
#include "random.hpp"

namespace fovea::demo {

/// Clutter: clouds of up to three muted colours with grain, soft blobs, strokes, and blanks: muted
/// shapes with the objects' outlines but no texture, so that an outline alone tells nothing.
Canvas draw_background(Random& random, int width, int height);

}  // namespace fovea::demo
