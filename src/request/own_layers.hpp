#pragma once

#include <optional>

#include "fovea/task_layers.hpp"

namespace fovea::request {

/// A box's: the default layer of its row as it came out, where the target lies behind that; else
/// the target's own. Without a row, the target's.
TargetLayers own_layers(const Model& model, ExplainerOptions options, const Target& target,
                        const std::optional<Target>& row, const CallOptions& call = {});

}  // namespace fovea::request
