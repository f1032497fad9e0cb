#pragma once

#include "engine/ops/op.hpp"

namespace fovea::engine {

/// dst, row-major with extents `shape`, from a row-major source read with `strides`.
/// Every source element is read once: the walk back is the same with the permutation undone.
void permute_step(Builder& b, const Tensor& src, const Tensor& dst, const Shape& shape,
                  const Dims& strides);

}  // namespace fovea::engine
