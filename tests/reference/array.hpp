#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "fovea/tensor.hpp"

/// The slow, obvious oracle works in double on row-major arrays.
namespace fovea::reference {

using Index = std::vector<std::int64_t>;

inline std::int64_t count(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  return n;
}

struct Array {
  Shape shape;
  std::vector<double> data;

  Array() = default;
  explicit Array(Shape s, double value = 0)
      : shape(std::move(s)), data(static_cast<std::size_t>(count(shape)), value) {}

  std::size_t offset(const Index& index) const {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) at = at * shape[i] + index[i];
    return static_cast<std::size_t>(at);
  }
  double& operator[](const Index& index) { return data[offset(index)]; }
  double operator[](const Index& index) const { return data[offset(index)]; }

  /// The element that numpy's broadcasting puts at `index` of a larger shape.
  double broadcast(const Index& index) const {
    Index own(shape.size());
    const std::size_t lead = index.size() - shape.size();
    for (std::size_t i = 0; i < shape.size(); ++i) own[i] = shape[i] == 1 ? 0 : index[lead + i];
    return (*this)[own];
  }
};

/// visit(index) for every index of a shape, in row-major order.
template <class Visit>
void each(const Shape& shape, Visit&& visit) {
  if (count(shape) == 0) return;
  Index index(shape.size(), 0);
  while (true) {
    visit(static_cast<const Index&>(index));
    std::size_t axis = shape.size();
    while (axis > 0 && ++index[axis - 1] == shape[axis - 1]) index[--axis] = 0;
    if (axis == 0) return;
  }
}

}  // namespace fovea::reference
