#pragma once

#include "engine/ops/op.hpp"

namespace fovea::engine {

/// dst, row-major with extents `shape`, from a row-major source read with `strides`.
/// Every source element is read once: the backward pass is the same with the permutation undone.
void permute_step(Builder& b, const Operand& src, const Operand& dst, const Shape& shape,
                  const Dims& strides);

}  // namespace fovea::engine
