#pragma once

#include <cstdint>
#include <vector>

#include "graph/ops.hpp"

/// A resize is one sparse matrix per axis, whatever its mode.
namespace fovea::engine {

/// Row i, what element i of the axis is made of: entries [begin[i], begin[i + 1]) of the others.
struct AxisTaps {
  std::int64_t columns = 0;
  std::vector<std::size_t> begin{0};
  std::vector<std::int64_t> index;
  std::vector<float> weight;
  std::vector<float> constant;  ///< per row, what is added; empty: nothing

  std::int64_t rows() const { return static_cast<std::int64_t>(begin.size()) - 1; }
};

/// Of an axis of extent `in` of a resolved resize.
AxisTaps resize_taps(const graph::Resize& op, std::size_t axis, std::int64_t in);
/// Without the constants.
AxisTaps transposed(const AxisTaps& taps);

}  // namespace fovea::engine
