#pragma once

#include <vector>

#include "engine/op_case.hpp"

namespace fovea::bench {

/// Every operator at extents that networks have; the reference can still follow.
std::vector<engine_test::Case> ops_cases();

}  // namespace fovea::bench
