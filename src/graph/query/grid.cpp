#include <algorithm>

#include "base/checked.hpp"
#include "graph/query.hpp"

namespace fovea::graph {

std::vector<std::size_t> Grid::order(std::size_t rank) const {
  std::vector<std::size_t> out;
  if (is_map()) {
    for (std::size_t axis = 0; axis < rank; ++axis) out.push_back(axis);
    return out;
  }
  out.push_back(images);
  for (std::size_t axis = 0; axis < rank; ++axis)
    if (axis != images && std::find(channels.begin(), channels.end(), axis) == channels.end())
      out.push_back(axis);
  out.insert(out.end(), channels.begin(), channels.end());
  return out;
}

bool Grid::is_in_order(const Shape& shape) const {
  std::vector<std::size_t> wide;
  for (const auto axis : order(shape.size()))
    if (shape[axis] != 1) wide.push_back(axis);
  return std::is_sorted(wide.begin(), wide.end());
}

std::int64_t Grid::width(const Shape& shape) const {
  std::int64_t out = 1;
  for (const auto axis : channels) out *= shape[axis];
  return out;
}

Shape Grid::map_shape(const Shape& shape) const {
  Shape out{shape[images], width(shape)};
  out.insert(out.end(), extents.begin(), extents.end());
  return out;
}

Shape Grid::ordered_shape(const Shape& shape) const {
  const auto each = width(shape);
  std::int64_t positions = 1;
  for (const auto axis : order(shape.size()))
    if (axis != images && std::find(channels.begin(), channels.end(), axis) == channels.end())
      positions *= shape[axis];
  return is_map() ? Shape{shape[images], each, positions} : Shape{shape[images], positions, each};
}

}  // namespace fovea::graph
