#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/plan.hpp"
#include "fovea/tensor.hpp"

namespace fovea::explain {

/// Windows of `size` in each extent, as windows.hpp's sliding_windows.
struct SlidingWindows {
  std::int64_t size = 0, stride = 0;
  friend auto operator<=>(const SlidingWindows&, const SlidingWindows&) = default;
};

/// How the network of what windows change is fed.
struct WindowPlan {
  /// Along one extent: a window, where the patch of the input that holds it begins, and what the
  /// network asks about it: [rows, 2], two numbers per row that go to the places
  /// [batch, rows, 2 extents], first those of each extent, then the second ones.
  struct Place {
    std::int64_t begin, end, patch;
    std::vector<float> rows;
  };
  std::vector<std::vector<Place>> axes;  ///< per extent of the input
  Shape patch;                           ///< extents
  std::int64_t rows = 0;
  std::int64_t batch = 1;             ///< windows that it takes at once
  std::vector<std::ptrdiff_t> known;  ///< per held value: a map of the known network; -1: the input
  std::int64_t known_batch = 1;       ///< images that the known network takes
};

/// The scores of an image with windows hidden, where only what they change is computed.
struct WindowNetwork {
  const WindowPlan& windows;
  const engine::Plan& plan;  ///< feeds: patches [batch, c, ...] and places
  engine::Workspace& workspace;
  const engine::Plan& known;  ///< from the first input to the maps and the scores
  engine::Workspace& known_workspace;
};

}  // namespace fovea::explain
