#include "explain/windows.hpp"

#include <algorithm>

namespace fovea::explain {

Extents3 as_three(const Shape& extents) {
  Extents3 out{1, 1, 1};
  std::copy(extents.begin(), extents.end(),
            out.end() - static_cast<std::ptrdiff_t>(extents.size()));
  return out;
}

std::vector<Window> sliding_windows(const Shape& extents, std::int64_t size, std::int64_t stride) {
  const auto three = as_three(extents);
  const auto missing = three.size() - extents.size();
  Extents3 starts{1, 1, 1};  // how many per extent
  for (std::size_t d = missing; d < three.size(); ++d)
    starts[d] = 1 + (std::max<std::int64_t>(0, three[d] - size) + stride - 1) / stride;
  std::vector<Window> out;
  for (std::int64_t i = 0; i < starts[0]; ++i)
    for (std::int64_t j = 0; j < starts[1]; ++j)
      for (std::int64_t k = 0; k < starts[2]; ++k) {
        Window one{{i * stride, j * stride, k * stride}, {}};
        for (std::size_t d = 0; d < three.size(); ++d)
          one.end[d] = std::min(three[d], one.begin[d] + size);
        out.push_back(one);
      }
  return out;
}

}  // namespace fovea::explain
