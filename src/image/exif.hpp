#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "fovea/image.hpp"

namespace fovea::image {

/// The orientation (1 to 8) that an EXIF block declares, or where it is silent about it, an XMP
/// text; 1 where both are empty, malformed or silent. As Pillow reads them: a number of any type,
/// in the first directory.
int orientation_of(std::span<const std::uint8_t> exif, std::string_view xmp = {});

/// The image as the photographer saw it. Orientations 5 to 8 swap width and height.
Image oriented(Image image, int orientation);

/// A rectangle of an image of these extents, where it lies in the oriented image.
View oriented(const View& view, int width, int height, int orientation);

}  // namespace fovea::image
