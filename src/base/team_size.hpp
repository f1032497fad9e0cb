#pragma once

namespace fovea::base {

/// Sets how many threads parallel regions of the calling thread use, and returns how many they did.
int set_team_size(int threads);

}  // namespace fovea::base
