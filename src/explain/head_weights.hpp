#pragma once

#include <vector>

#include "graph/query.hpp"

namespace fovea::explain::detail {

/// The weights of one class over the channels of a pool + linear head.
std::vector<float> class_row(const graph::PoolLinearHead& head, std::int64_t target);

/// The weights of every class, [classes, channels].
std::vector<float> all_rows(const graph::PoolLinearHead& head);

}  // namespace fovea::explain::detail
