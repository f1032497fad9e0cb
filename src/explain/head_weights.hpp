#pragma once

#include <vector>

#include "explain/method.hpp"

namespace fovea::explain::detail {

/// The weights of one class over the channels of a pool + linear head.
std::vector<float> class_row(const graph::PoolLinearHead& head, std::int64_t target);

/// scale * the weights of every class times the map that the pool reads: [classes, extents].
Tensor every_class(const Context& context, std::int64_t image, float scale);

}  // namespace fovea::explain::detail
