#pragma once

#include <cstdint>
#include <span>

#include "fovea/image.hpp"

namespace fovea::image {

/// The orientation (1 to 8) that an EXIF block declares; 1 where the block is empty, malformed or
/// silent about it.
int exif_orientation(std::span<const std::uint8_t> exif);

/// The image as the photographer saw it. Orientations 5 to 8 swap width and height.
Image oriented(Image image, int orientation);

/// A rectangle of an image of these extents, where it lies in the oriented image.
View oriented(const View& view, int width, int height, int orientation);

}  // namespace fovea::image
