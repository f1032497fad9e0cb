#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fovea/decode.hpp"

namespace fovea::task {

/// Cells along an extent of the picture: begun ones count where boxes are distances.
std::int64_t grid_extent(const BoxDecoding& boxes, std::int64_t extent, std::int64_t stride);

/// Of each class, boxes that overlap a better one by more than `overlap` go, and what is left after
/// `most`. `found` is best first, and stays so.
void suppress(std::vector<Detection>& found, double overlap, std::int64_t most);

}  // namespace fovea::task
