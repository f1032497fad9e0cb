#pragma once

#include <optional>
#include <vector>

#include "graph/constant.hpp"
#include "graph/ops.hpp"

namespace fovea::graph::detail {

struct Boxes {
  const Constant* boxes = nullptr;   ///< [n, count, 4]
  const Constant* scores = nullptr;  ///< [n, classes, count]
  std::int64_t most = 0;             ///< of a class
  float overlap = 0;                 ///< what overlaps more with a better one is left out
  std::optional<float> least;        ///< only scores above it count
};

/// Of the inputs of a node, in their order; null or missing: absent. Each is checked already.
Boxes boxes_of(const std::vector<const Constant*>& inputs);

/// [selected, 3], row-major: image, class and box. A score that is not a number is never selected.
Ints non_max_suppression(const NonMaxSuppression& op, const Boxes& in);

}  // namespace fovea::graph::detail
