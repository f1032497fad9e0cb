#pragma once

#include <array>
#include <vector>

#include "engine/ops/op.hpp"

namespace fovea::engine {

/// Axes of a row-major loop over N operands, as few and as long as they can be: extents of 1 are
/// left out, and two neighbours are one where every operand steps through both as through one. A
/// file that keeps channels last has maps [n, h, w, 1], whose last axis would be a loop of one.
template <std::size_t N>
struct MergedAxes {
  std::vector<std::int64_t> extents;
  std::array<std::vector<std::int64_t>, N> strides;

  MergedAxes(const Shape& all, const std::array<Dims, N>& steps) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i] == 1) continue;
      bool joins = !extents.empty();
      for (std::size_t k = 0; joins && k < N; ++k)
        joins = strides[k].back() == steps[k][i] * all[i];
      if (joins) {
        extents.back() *= all[i];
        for (std::size_t k = 0; k < N; ++k) strides[k].back() = steps[k][i];
      } else {
        extents.push_back(all[i]);
        for (std::size_t k = 0; k < N; ++k) strides[k].push_back(steps[k][i]);
      }
    }
  }
};

}  // namespace fovea::engine
