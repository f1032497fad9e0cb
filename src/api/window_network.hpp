#pragma once

#include <optional>

#include "api/network.hpp"

namespace fovea::api {

/// The explainer's plan without what methods read of it: from the inputs to the scores.
engine::PlanSpec scores_alone(const NetworkSource& source);

/// Of what windows over the image change (passes::incremental), and the network that gives it what
/// they leave as it is; none as make_network says.
std::optional<Network> window_network(const NetworkSource& source,
                                      const explain::SlidingWindows& windows);

}  // namespace fovea::api
