#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"

namespace fovea::graph::detail {
namespace {

std::int64_t to_extent(float value) {
  if (!(value >= 0) || value > static_cast<float>(base::kMaxElements))
    bad_model("a resized extent is out of range");
  return static_cast<std::int64_t>(value);
}

void require_factor(float scale) {
  if (!(scale > 0) || !std::isfinite(scale)) bad_model("a scale is not a positive number");
}

/// The axes that scales or sizes speak of, all by default.
Ints named_axes(const Resize& op, std::size_t rank) {
  Ints axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (!op.axes) return axes;
  axes = *op.axes;
  front_axes(axes, rank);
  for (auto& axis : axes) axis = front_axis(axis, rank);
  return axes;
}

void read_inputs(Resize& op, const InferContext& c) {
  const auto scales_at = op.is_upsample ? 1u : 2u;
  if (c.has_input(scales_at)) {
    const auto scales = c.constant_floats(scales_at, "scales");
    // An empty vector stands for "not given".
    if (!scales.empty()) op.scales = scales;
  }
  if (!op.is_upsample && c.has_input(3)) {
    const auto sizes = c.constant_ints(3, "sizes");
    if (!sizes.empty()) op.sizes = sizes;
  }
  if (op.scales && op.sizes) bad_model("both scales and sizes are given");
  if (!op.scales && !op.sizes) bad_model("neither scales nor sizes are given");
}

void resolve_scales(Resize& op, const Shape& x, const Ints& axes) {
  if (op.scales->size() != axes.size())
    bad_model("scales has " + std::to_string(op.scales->size()) + " entries for " +
              std::to_string(axes.size()) + " axes");
  std::vector<float> scales(x.size(), 1.0f);
  Ints sizes = x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(axes[i]);
    scales[d] = (*op.scales)[i];
    require_factor(scales[d]);
    // In f32, as the files' writers do: in f64 the product of 5/3 and 3 would be below 5.
    sizes[d] = to_extent(std::floor(static_cast<float>(x[d]) * scales[d]));
  }
  op.scales = scales;
  op.sizes = sizes;
}

void resolve_sizes(Resize& op, const Shape& x, const Ints& axes) {
  if (op.sizes->size() != axes.size())
    bad_model("sizes has " + std::to_string(op.sizes->size()) + " entries for " +
              std::to_string(axes.size()) + " axes");
  const bool keep_aspect = op.keep_aspect_not_larger || op.keep_aspect_not_smaller;
  float common = op.keep_aspect_not_larger ? std::numeric_limits<float>::max() : 0.0f;
  std::vector<float> scales(x.size(), 1.0f);
  Ints sizes = x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(axes[i]);
    sizes[d] = (*op.sizes)[i];
    if (sizes[d] < 1 || sizes[d] > base::kMaxElements)
      bad_model("a resized extent of " + std::to_string(sizes[d]));
    if (x[d] < 1) bad_model("the input has shape " + text(x) + ", with an empty extent");
    scales[d] = static_cast<float>(sizes[d]) / static_cast<float>(x[d]);
    common = op.keep_aspect_not_larger ? std::min(common, scales[d]) : std::max(common, scales[d]);
  }
  if (keep_aspect)
    for (const auto axis : axes) {
      const auto d = static_cast<std::size_t>(axis);
      scales[d] = common;
      sizes[d] = to_extent(std::floor(common * static_cast<float>(x[d]) + 0.5f));
    }
  op.scales = scales;
  op.sizes = sizes;
}

}  // namespace

void infer_op(Resize& op, InferContext& c) {
  if (op.antialias) unsupported("Resize with antialias");
  if (op.mode != ResizeMode::nearest) c.require_real(0);
  const auto& x = c.shape(0);
  const bool resolved = c.input_count() == 1 && op.scales && op.sizes && !op.axes &&
                        op.scales->size() == x.size() && op.sizes->size() == x.size();
  if (!resolved) {
    read_inputs(op, c);
    const auto axes = named_axes(op, x.size());
    if (op.scales)
      resolve_scales(op, x, axes);
    else
      resolve_sizes(op, x, axes);
    op.axes.reset();
    op.keep_aspect_not_larger = op.keep_aspect_not_smaller = false;
    c.keep_inputs(1);
  }
  for (std::size_t d = 0; d < x.size(); ++d)
    if (x[d] < 1 || (*op.sizes)[d] < 1)
      bad_model("an extent of " + std::to_string(x[d]) + " cannot be resized to " +
                std::to_string((*op.sizes)[d]));
  c.set_output(c.type(0), *op.sizes);
}

namespace {

/// block * block; throws bad_model unless x is [n, c, h, w].
std::int64_t block_area(std::int64_t block, const InferContext& c) {
  if (c.shape(0).size() != 4)
    bad_model("the input has shape " + text(c.shape(0)) + " where four extents are needed");
  if (block < 1) bad_model("the block size is " + std::to_string(block));
  return base::checked_mul(block, block);
}

}  // namespace

void infer_op(DepthToSpace& op, InferContext& c) {
  const auto area = block_area(op.block, c);
  const auto& x = c.shape(0);
  if (x[1] % area != 0)
    bad_model(std::to_string(x[1]) + " channels are no multiple of " + std::to_string(area));
  c.set_output(c.type(0), {x[0], x[1] / area, base::checked_mul(x[2], op.block),
                           base::checked_mul(x[3], op.block)});
}

void infer_op(SpaceToDepth& op, InferContext& c) {
  const auto area = block_area(op.block, c);
  const auto& x = c.shape(0);
  if (x[2] % op.block != 0 || x[3] % op.block != 0)
    bad_model("blocks of " + std::to_string(op.block) + " do not fill " + text(x));
  c.set_output(c.type(0), {x[0], base::checked_mul(x[1], area), x[2] / op.block, x[3] / op.block});
}

}  // namespace fovea::graph::detail
