#pragma once

#include <optional>

#include "api/network.hpp"

namespace fovea::api {

/// Of what windows over the image change (passes::incremental), and the network that gives it what
/// they leave as it is; none as make_network says.
std::optional<Network> window_network(const NetworkSource& source,
                                      const explain::SlidingWindows& windows);

}  // namespace fovea::api
