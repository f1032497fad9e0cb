#pragma once

#include <algorithm>
#include <cstdint>

#include "graph/ops.hpp"

namespace fovea::graph {

/// Where element `at` of a padded axis comes from, counted from the axis' own first; -1: from
/// nowhere.
inline std::int64_t padded_index(PadMode mode, std::int64_t at, std::int64_t extent) {
  if (at >= 0 && at < extent) return at;
  switch (mode) {
    case PadMode::constant:
      return -1;
    case PadMode::edge:
      return std::clamp<std::int64_t>(at, 0, extent - 1);
    case PadMode::wrap:
      return ((at % extent) + extent) % extent;
    case PadMode::reflect: {
      if (extent == 1) return 0;
      const std::int64_t period = 2 * (extent - 1);
      const std::int64_t folded = ((at % period) + period) % period;
      return folded < extent ? folded : period - folded;
    }
  }
  return -1;
}

}  // namespace fovea::graph
