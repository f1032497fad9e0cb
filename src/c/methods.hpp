#pragma once

#include <vector>

#include "fovea/method_info.hpp"

namespace fovea::c {

/// The registry, read once. Allocates the first time.
const std::vector<MethodInfo>& all_methods();

}  // namespace fovea::c
