#pragma once

#include <cstdint>
#include <utility>

#include "graph/ops.hpp"

/// What inference and evaluation compute alike.
namespace fovea::graph::detail {

/// Elements of Range: max(ceil((limit - start) / delta), 0). Throws bad_model.
std::int64_t range_length(std::int64_t start, std::int64_t limit, std::int64_t delta);
std::int64_t range_length(float start, float limit, float delta);

/// The extents [first, second) that Shape yields of a tensor of that rank.
std::pair<std::int64_t, std::int64_t> shape_range(const ShapeOf& op, std::size_t rank);

}  // namespace fovea::graph::detail
