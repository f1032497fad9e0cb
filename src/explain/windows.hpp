#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "explain/network.hpp"
#include "fovea/tensor.hpp"

/// Boxes of positions, of signals, images and volumes alike.
namespace fovea::explain {

/// One to three extents as three, those that are missing being 1 in front.
using Extents3 = std::array<std::int64_t, 3>;
Extents3 as_three(const Shape& extents);

/// Positions from `begin` to before `end` in each extent.
struct Window {
  Extents3 begin, end;
};

/// As a method's options name them: a size of 0 is a seventh of the shortest extent, a stride of 0
/// half of the size.
SlidingWindows sized_for(SlidingWindows named, const Shape& extents);

/// Where the windows of one extent lie: of `size`, the first at position 0, each `stride` after the
/// one before it, the last cut at the border. From `first` to before `second`.
std::vector<std::pair<std::int64_t, std::int64_t>> sliding_intervals(std::int64_t extent,
                                                                     std::int64_t size,
                                                                     std::int64_t stride);

/// All windows whose intervals are such in each extent.
std::vector<Window> sliding_windows(const Shape& extents, std::int64_t size, std::int64_t stride);

/// run(position, count): each row of a window, whose positions lie side by side.
template <class Run>
void for_rows(const Extents3& extents, const Window& window, Run run) {
  for (auto d = window.begin[0]; d < window.end[0]; ++d)
    for (auto r = window.begin[1]; r < window.end[1]; ++r)
      run((d * extents[1] + r) * extents[2] + window.begin[2], window.end[2] - window.begin[2]);
}

}  // namespace fovea::explain
