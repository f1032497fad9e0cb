#pragma once

#include <cstddef>
#include <vector>

#include "engine/builder.hpp"

namespace fovea::engine {

/// Gives every arena buffer an offset such that two that live at the same time never overlap;
/// returns the arena's size. Largest first, each at the lowest place that is free over its life; of
/// more than some thousands, the smaller ones in the order of the steps.
std::size_t plan_memory(std::vector<Buffer>& buffers, int last_step);

}  // namespace fovea::engine
