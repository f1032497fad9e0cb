#pragma once

#include "explain/method.hpp"

namespace fovea::explain::detail {

/// dst[k] += sum_j from[j] weights[j, k], over the classes j of a pool + linear head.
void add_head_rows(const graph::PoolLinearHead& head, const float* from, float* dst);

/// scale * the weights of every class times the map that the pool reads: [classes, extents].
Tensor every_class(const Context& context, std::int64_t image, float scale);

}  // namespace fovea::explain::detail
