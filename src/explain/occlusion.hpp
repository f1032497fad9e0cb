#pragma once

#include <span>
#include <vector>

#include "explain/perturbation.hpp"
#include "explain/windows.hpp"

namespace fovea::explain {

/// The scores of one image with each window hidden by `cover` (in the image's layout), and last
/// that of the image itself: windows + 1 forwards.
std::vector<double> scores_by_window(Perturbation& perturbation, std::int64_t image,
                                     std::span<const float> cover, std::span<const Window> windows,
                                     const Extents3& extents);

}  // namespace fovea::explain
