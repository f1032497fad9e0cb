#pragma once

#include <array>

#include "engine/ops/elementwise.hpp"
#include "engine/ops/merged_axes.hpp"

namespace fovea::engine {

inline constexpr std::size_t kMaxLoopRank = 8;

/// Row-major loops over an output shape with the strides of N operands that are broadcast to it;
/// the innermost of its merged axes is handed out as a run of `width`.
template <std::size_t N>
struct BroadcastLoop {
  using Axis = std::array<std::int64_t, kMaxLoopRank>;
  Axis extent{};
  std::array<Axis, N> stride{};
  std::int64_t rows = 1;
  std::int64_t width = 1;

  BroadcastLoop(const Shape& out, const std::array<Shape, N>& operands) {
    std::array<Dims, N> strides;
    for (std::size_t k = 0; k < N; ++k) strides[k] = broadcast_strides(operands[k], out);
    const MergedAxes<N> axes(out, strides);
    extent.fill(1);
    const std::size_t lead = kMaxLoopRank - axes.extents.size();
    for (std::size_t i = 0; i < axes.extents.size(); ++i) {
      extent[lead + i] = axes.extents[i];
      for (std::size_t k = 0; k < N; ++k) stride[k][lead + i] = axes.strides[k][i];
    }
    for (std::size_t i = 0; i + 1 < kMaxLoopRank; ++i) rows *= extent[i];
    width = extent[kMaxLoopRank - 1];
  }

  /// Offsets of the operands at the first element of a row.
  std::array<std::int64_t, N> offsets(std::int64_t row) const {
    std::array<std::int64_t, N> at{};
    for (std::size_t i = kMaxLoopRank - 1; i-- > 0;) {
      const std::int64_t index = row % extent[i];
      row /= extent[i];
      for (std::size_t k = 0; k < N; ++k) at[k] += index * stride[k][i];
    }
    return at;
  }
  /// Step of an operand along the run: 0 or 1.
  std::int64_t step(std::size_t k) const { return stride[k][kMaxLoopRank - 1]; }
  std::int64_t grain() const {
    return std::max<std::int64_t>(1, kElementGrain / 4 / std::max<std::int64_t>(1, width));
  }
};

}  // namespace fovea::engine
