#pragma once

#include "engine/ops/op.hpp"

namespace fovea::engine {

/// Where each output index of one axis comes from; -1: the fill value.
using AxisIndex = std::vector<std::int64_t>;

/// dst[i0, i1, ...] = src[table0[i0], table1[i1], ...]: slices, pads, repeats and nearest resizes
/// are tables per axis.
struct IndexMap {
  Shape src;
  std::vector<AxisIndex> axes;
};

/// Row-major dst from row-major src.
void index_forward(Builder& b, const IndexMap& map, const Operand& src, const Operand& dst,
                   float fill);
/// Row-major diff_src: each element the sum of what was read from it.
void index_backward(Builder& b, const IndexMap& map, const Operand& diff_dst,
                    const Operand& diff_src);

}  // namespace fovea::engine
