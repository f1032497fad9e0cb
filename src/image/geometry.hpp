#pragma once

#include <cstdint>

#include "fovea/image.hpp"

namespace fovea::image {

/// One axis of the way from a photo to the network's input: photo pixels [crop, crop + crop_size)
/// are resized to `resized` pixels, of which [take, take + count) become the input's pixels
/// [place, place + count). What is left of the input is border.
struct Axis {
  std::int64_t crop = 0, crop_size = 0;
  std::int64_t resized = 0;
  std::int64_t take = 0, place = 0, count = 0;
  std::int64_t input = 0;  ///< extent of the network's input
  /// The part of the crop, in its pixels, that is resized: all of it, but for a reduced photo,
  /// whose pixels need not end where the crop does.
  double from = 0, to = 0;
};

struct Placement {
  Axis x, y;
};

/// Throws Error(invalid_argument) for extents or a recipe that make no sense, and Error(bad_input)
/// for a photo so narrow that the resized picture would be enormous.
Placement place(std::int64_t photo_width, std::int64_t photo_height, const Preprocess& recipe,
                std::int64_t input_width, std::int64_t input_height);

/// How many eighths of its size (1, 2, 4 or 8) a photo may be decoded at, so that what it is
/// resized to hardly differs.
int enough_eighths(const Placement& placement, const Preprocess& recipe);

/// The same placement for a photo that is decoded at another size.
Placement place_reduced(const Placement& placement, const ReducedImage& photo);

}  // namespace fovea::image
