#include <algorithm>
#include <cmath>
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

void require_entries(std::size_t count, std::size_t wanted, const char* what) {
  if (count != wanted)
    bad_model(std::string(what) + " has " + std::to_string(count) + " entries for " +
              std::to_string(wanted) + " axes");
}

void resolve_scales(Resize& op, const Shape& x, const Ints& axes) {
  require_entries(op.scales->size(), axes.size(), "scales");
  Ints sizes = x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(axes[i]);
    const float scale = (*op.scales)[i];
    require_factor(scale);
    op.factors[d] = {scale, 1};
    // In f32, as the files' writers do: in f64 the product of 5/3 and 3 would be below 5.
    sizes[d] = to_extent(std::floor(static_cast<float>(x[d]) * scale));
  }
  op.sizes = sizes;
}

/// extent times / over, rounded to the next integer, halves up.
std::int64_t scaled_extent(std::int64_t extent, std::int64_t times, std::int64_t over) {
  const auto twice = base::checked_mul(2, base::checked_mul(extent, times));
  return base::checked_add(twice, over) / base::checked_mul(2, over);
}

/// The axis whose factor all take: the smallest, or the largest.
std::size_t deciding_axis(const Resize& op, const Shape& x, const Ints& sizes, const Ints& axes) {
  auto best = static_cast<std::size_t>(axes.front());
  for (const auto axis : axes) {
    const auto d = static_cast<std::size_t>(axis);
    const auto here = base::checked_mul(sizes[d], x[best]);
    const auto there = base::checked_mul(sizes[best], x[d]);
    if (op.keep_aspect_not_larger ? here < there : here > there) best = d;
  }
  return best;
}

void resolve_sizes(Resize& op, const Shape& x, const Ints& axes) {
  require_entries(op.sizes->size(), axes.size(), "sizes");
  Ints sizes = x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(axes[i]);
    sizes[d] = (*op.sizes)[i];
    if (sizes[d] < 1 || sizes[d] > base::kMaxElements)
      bad_model("a resized extent of " + std::to_string(sizes[d]));
    if (x[d] < 1) bad_model("the input has shape " + text(x) + ", with an empty extent");
    op.factors[d] = {static_cast<double>(sizes[d]), static_cast<double>(x[d])};
  }
  if (!axes.empty() && (op.keep_aspect_not_larger || op.keep_aspect_not_smaller)) {
    const auto best = deciding_axis(op, x, sizes, axes);
    const auto times = sizes[best], over = x[best];
    for (const auto axis : axes) {
      const auto d = static_cast<std::size_t>(axis);
      op.factors[d] = {static_cast<double>(times), static_cast<double>(over)};
      sizes[d] = scaled_extent(x[d], times, over);
      if (sizes[d] > base::kMaxElements) bad_model("a resized extent is out of range");
    }
  }
  op.sizes = sizes;
}

void resolve_roi(Resize& op, const InferContext& c, const Ints& axes) {
  if (!c.has_input(1)) bad_model("its coordinates need a region, which is not given");
  const auto given = c.constant_floats(1, "roi");
  const auto rank = c.shape(0).size(), count = axes.size();
  if (given.size() != 2 * count)
    bad_model("roi has " + std::to_string(given.size()) + " entries for " + std::to_string(count) +
              " axes");
  op.roi.assign(2 * rank, 0.f);
  std::fill(op.roi.begin() + static_cast<std::ptrdiff_t>(rank), op.roi.end(), 1.f);
  for (std::size_t i = 0; i < count; ++i) {
    const auto d = static_cast<std::size_t>(axes[i]);
    op.roi[d] = given[i];
    op.roi[rank + d] = given[count + i];
  }
  for (const auto value : op.roi)
    if (!std::isfinite(value)) bad_model("roi has an entry that is not a finite number");
}

void check_fields(const Resize& op) {
  if (op.mode == ResizeMode::nearest && op.antialias) bad_model("nearest has no antialiasing");
  if (!std::isfinite(op.cubic_a) || !std::isfinite(op.extrapolation))
    bad_model("a parameter is not a finite number");
}

}  // namespace

void infer_op(Resize& op, InferContext& c) {
  check_fields(op);
  if (op.mode != ResizeMode::nearest) c.require_real(0);
  const auto& x = c.shape(0);
  const bool resolved = c.input_count() == 1 && op.factors.size() == x.size() && op.sizes &&
                        op.sizes->size() == x.size();
  if (!resolved) {
    read_inputs(op, c);
    const auto axes = named_axes(op, x.size());
    op.factors.assign(x.size(), {});
    if (op.scales)
      resolve_scales(op, x, axes);
    else
      resolve_sizes(op, x, axes);
    op.roi.clear();
    if (op.coordinates == ResizeCoordinates::tf_crop_and_resize) resolve_roi(op, c, axes);
    op.scales.reset();
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

namespace fovea::graph {

bool keeps_axis(const Resize& op, std::size_t axis, std::int64_t in) {
  const auto& factor = op.factors[axis];
  const bool whole = op.roi.empty() || (op.roi[axis] == 0 && op.roi[op.roi.size() / 2 + axis] == 1);
  return factor.to == factor.from && (*op.sizes)[axis] == in && whole;
}

}  // namespace fovea::graph
