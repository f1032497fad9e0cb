#pragma once

#include <cstdint>
#include <optional>

#include "fovea/error.hpp"
#include "fovea/export.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// Whole pixels of a map: columns [x, x + width) of rows [y, y + height).
struct Box {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;

  friend bool operator==(const Box&, const Box&) = default;
};

/// Where the thing lies, as Zhou et al. 2016 ("Learning Deep Features for Discriminative
/// Localization", section 3.2) take it from a map [h, w]: of the pixels whose value is above
/// `share` of the map's maximum, the largest connected component, and the box around it.
///
/// Pixels that touch at a side or a corner are connected. Of components of one size, the one that
/// comes first row by row is taken. Values that are not finite are no part of the map. None where
/// nothing is above 0. For a photo's coordinates, give what map_on_photo gives.
///
/// Throws Error invalid_argument for a share outside [0, 1) and for a map that has not two extents
/// or not their number of values. Cost: two reads of the map; memory for a row.
FOVEA_API std::optional<Box> find_box(const Tensor& map, float share = 0.2F);

}  // namespace fovea
