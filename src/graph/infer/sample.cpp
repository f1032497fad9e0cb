#include "base/checked.hpp"
#include "graph/infer/window.hpp"

namespace fovea::graph::detail {

void infer_op(GridSample&, InferContext& c) {
  c.require_real(0);
  c.require(1, DType::f32);
  const auto spatial = spatial_extents(c);
  const auto& x = c.shape(0);
  const auto& grid = c.shape(1);
  bool fits = grid.size() == x.size() && grid.front() == x.front() &&
              grid.back() == static_cast<std::int64_t>(spatial.size());
  for (const auto extent : grid) fits = fits && extent > 0;
  if (!fits) bad_model("a grid of shape " + text(grid) + " for an input of shape " + text(x));
  Shape out{x[0], x[1]};
  out.insert(out.end(), grid.begin() + 1, grid.end() - 1);
  c.set_output(DType::f32, std::move(out));
}

void infer_op(Col2Im& op, InferContext& c) {
  c.require_real(0);
  const auto& x = c.shape(0);
  if (x.size() != 3) bad_model("the columns have shape " + text(x));
  if (c.has_input(1)) op.image = c.constant_ints(1, "image_shape");
  if (c.has_input(2)) op.window.kernel = c.constant_ints(2, "block_shape");
  if (!op.image || op.image->empty()) bad_model("Col2Im has no image_shape");
  const auto spatial = op.image->size();
  if (spatial > 3) unsupported("more than three spatial dimensions");
  check_window(op.window, spatial);
  std::int64_t block = 1, blocks = 1;
  Shape out{x[0], 0};
  for (std::size_t d = 0; d < spatial; ++d) {
    const auto extent = (*op.image)[d];
    if (extent < 1 || extent > base::kMaxElements)
      bad_model("the image has an extent of " + std::to_string(extent));
    block = base::checked_mul(block, op.window.kernel[d]);
    blocks = base::checked_mul(blocks, window_output(op.window, d, extent));
    out.push_back(extent);
  }
  if (x[0] < 1 || x[1] < 1 || x[1] % block != 0 || x[2] != blocks)
    bad_model("columns of shape " + text(x) + " where " + std::to_string(blocks) + " blocks of " +
              std::to_string(block) + " elements are needed");
  out[1] = x[1] / block;
  c.keep_inputs(1);
  c.set_output(DType::f32, std::move(out));
}

}  // namespace fovea::graph::detail
