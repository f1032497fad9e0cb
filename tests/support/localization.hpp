#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "fovea/localization.hpp"
#include "fovea/tensor.hpp"

/// How well a map says where the thing is, where it is known.
namespace fovea::testing_support {

/// Intersection over union.
inline double overlap(const Box& a, const Box& b) {
  const auto shared = [](std::int64_t begin, std::int64_t size, std::int64_t other,
                         std::int64_t other_size) {
    return std::max<std::int64_t>(
        0, std::min(begin + size, other + other_size) - std::max(begin, other));
  };
  const auto both = shared(a.x, a.width, b.x, b.width) * shared(a.y, a.height, b.y, b.height);
  const auto either = a.width * a.height + b.width * b.height - both;
  return either > 0 ? static_cast<double>(both) / static_cast<double>(either) : 0;
}

inline bool contains(const Box& box, std::int64_t x, std::int64_t y) {
  return box.x <= x && x < box.x + box.width && box.y <= y && y < box.y + box.height;
}

/// A map beside the boxes of what it explains; any of them will do.
struct Verdict {
  bool points = false;  ///< the maximum lies in a box: the pointing game, without a tolerance
  double overlap = 0;   ///< the best intersection over union of `find_box` with a box

  bool boxed() const { return overlap >= 0.5; }
};

/// A map that is nowhere above 0 says nothing. Of equal maxima the first counts.
inline Verdict judge(const Tensor& map, std::span<const Box> truth, float share = 0.2F) {
  Verdict out;
  std::size_t best = 0;
  float most = 0;
  for (std::size_t i = 0; i < map.data.size(); ++i)
    if (std::isfinite(map.data[i]) && map.data[i] > most) {
      most = map.data[i];
      best = i;
    }
  const auto found = find_box(map, share);
  if (!found) return out;
  const auto width = map.shape[1], at = static_cast<std::int64_t>(best);
  for (const auto& box : truth) {
    out.points = out.points || contains(box, at % width, at / width);
    out.overlap = std::max(out.overlap, overlap(*found, box));
  }
  return out;
}

}  // namespace fovea::testing_support
