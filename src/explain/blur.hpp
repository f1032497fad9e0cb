#pragma once

#include <span>
#include <vector>

#include "explain/masks.hpp"

namespace fovea::explain {

/// An image smoothed by a Gaussian of this deviation (in positions), cut at four deviations, with
/// borders mirrored (a b c | c b a); channel by channel, over each of its extents.
std::vector<float> blurred(std::span<const float> image, const ChannelSteps& steps,
                           const Shape& extents, double deviation);

}  // namespace fovea::explain
