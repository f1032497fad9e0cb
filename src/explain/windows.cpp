#include "explain/windows.hpp"

#include <algorithm>

namespace fovea::explain {

Extents3 as_three(const Shape& extents) {
  Extents3 out{1, 1, 1};
  std::copy(extents.begin(), extents.end(),
            out.end() - static_cast<std::ptrdiff_t>(extents.size()));
  return out;
}

SlidingWindows sized_for(SlidingWindows named, const Shape& extents) {
  constexpr std::int64_t kPart = 7;
  if (named.size == 0 && !extents.empty())
    named.size =
        std::max<std::int64_t>(1, *std::min_element(extents.begin(), extents.end()) / kPart);
  if (named.stride == 0) named.stride = std::max<std::int64_t>(1, named.size / 2);
  return named;
}

std::vector<std::pair<std::int64_t, std::int64_t>> sliding_intervals(std::int64_t extent,
                                                                     std::int64_t size,
                                                                     std::int64_t stride) {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  for (std::int64_t begin = 0;; begin += stride) {
    out.emplace_back(begin, std::min(begin + size, extent));
    if (begin + size >= extent) return out;
  }
}

std::vector<Window> sliding_windows(const Shape& extents, std::int64_t size, std::int64_t stride) {
  const auto three = as_three(extents);
  std::vector<Window> out;
  for (const auto& deep : sliding_intervals(three[0], size, stride))
    for (const auto& down : sliding_intervals(three[1], size, stride))
      for (const auto& across : sliding_intervals(three[2], size, stride))
        out.push_back(
            {{deep.first, down.first, across.first}, {deep.second, down.second, across.second}});
  return out;
}

}  // namespace fovea::explain
