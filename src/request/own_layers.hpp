#pragma once

#include <optional>

#include "fovea/task_layers.hpp"

namespace fovea::request {

/// A box's: the default layer of its row as it came out, where the target lies behind that; else
/// the target's own. Without a row, the target's.
TargetLayers own_layers(const Model& model, ExplainerOptions options, const Target& target,
                        const std::optional<Target>& row, const CallOptions& call = {});

/// The default layer of a caption's words: the explainer's, where the picture reaches no word but
/// through it; else the last map in front of it of which that is true, so that a decoder that looks
/// again for each word is not explained where one word looked.
std::string layer_of_words(const Task& task, const Explainer& explainer);

}  // namespace fovea::request
