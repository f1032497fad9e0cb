#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fovea {

/// Extents, outermost first. In a model's declared shapes -1 stands for "bound later".
using Shape = std::vector<std::int64_t>;

/// A dense row-major f32 tensor that owns its data: `data.size()` is the product of `shape`.
struct Tensor {
  Shape shape;
  std::vector<float> data;
};

/// A dense row-major f32 tensor that somebody else owns.
struct TensorView {
  Shape shape;
  std::span<const float> data;

  TensorView() = default;
  TensorView(Shape s, std::span<const float> d) : shape(std::move(s)), data(d) {}
  TensorView(const Tensor& t) : shape(t.shape), data(t.data) {}  // NOLINT: a view is the tensor
};

}  // namespace fovea
