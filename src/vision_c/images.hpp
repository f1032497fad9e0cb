#pragma once

#include <cstdint>
#include <string>

#include "fovea/image.hpp"
#include "fovea_vision.h"

/// Images, maps and what is drawn, between C and C++.
namespace fovea::vision_c {

/// Throws Error invalid_argument for extents that no image has.
void require_extents(std::int64_t width, std::int64_t height);

/// A copy. Throws Error invalid_argument for an image that is none.
Image image_of(const fovea_image* image);

/// Copies as much as fits; the status is FOVEA_OK or FOVEA_BUFFER_TOO_SMALL, which is told.
fovea_status give(fovea_error* error, fovea_image* to, const Image& image);

/// [h, w]. Throws as c::view_of, and Error invalid_argument for other extents.
Tensor map_of(const fovea_tensor* map);

/// Throws Error invalid_argument for a view that shows nothing.
View view_or_all(const fovea_view* view, std::int64_t width, std::int64_t height);

/// Throws Error invalid_argument for a name that does not exist, with the nearest.
Colormap colormap_of(const std::string& name);

}  // namespace fovea::vision_c
