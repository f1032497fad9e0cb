#pragma once

#include <cstddef>
#include <vector>

#include "engine/builder.hpp"

namespace fovea::engine {

/// Gives every arena buffer an offset such that two that live at the same time never overlap;
/// returns the arena's size. Largest first, each at the lowest place that is free over its life.
std::size_t plan_memory(std::vector<Buffer>& buffers, int last_step);

}  // namespace fovea::engine
