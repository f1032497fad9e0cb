#include "engine/grid_view.hpp"

#include "engine/ops/permute.hpp"

namespace fovea::engine {

Operand on_grid(Builder& b, const Operand& plain, const Shape& shape, const graph::Grid& grid) {
  const Desc ordered = plain_desc(grid.ordered_shape(shape));
  if (grid.is_in_order(shape)) return plain.as(ordered);
  const Dims strides = plain_strides(dims_of(shape));
  Shape dims;
  Dims from;
  for (const auto axis : grid.order(shape.size())) {
    dims.push_back(shape[axis]);
    from.push_back(strides[axis]);
  }
  const Operand moved = b.make(ordered);
  permute_step(b, plain, moved, dims, from);
  return moved;
}

ValueView on_grid(ValueView view, const graph::Grid& grid) {
  const auto channels = view.shape[grid.is_map() ? 1 : 2];
  if (!grid.is_map()) {
    view.data += grid.prefix * channels;
    view.block = channels;
  }
  view.shape = {view.shape[0], channels};
  view.shape.insert(view.shape.end(), grid.extents.begin(), grid.extents.end());
  return view;
}

}  // namespace fovea::engine
