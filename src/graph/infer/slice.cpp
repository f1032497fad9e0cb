#include <algorithm>
#include <numeric>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"

namespace fovea::graph::detail {
namespace {

/// One axis of a slice in its final form, and how many elements it takes.
struct Range1 {
  std::int64_t start;
  std::int64_t end;
  std::int64_t step;
  std::int64_t count;
};

Range1 resolve(std::int64_t extent, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (step == 0) bad_model("a step is zero");
  // Beyond the extent every step takes one element; this keeps the arithmetic below in range.
  constexpr auto kFar = base::kMaxElements;
  step = std::clamp(step, -kFar, kFar);
  if (extent == 0) return {0, 0, step, 0};
  const auto from_front = [&](std::int64_t v, std::int64_t low, std::int64_t high) {
    v = std::clamp(v, -kFar - 1, kFar);
    return std::clamp(v < 0 ? v + extent : v, low, high);
  };
  if (step > 0) {
    start = from_front(start, 0, extent);
    end = from_front(end, 0, extent);
    return {start, end, step, end > start ? (end - start + step - 1) / step : 0};
  }
  start = from_front(start, 0, extent - 1);
  end = from_front(end, -1, extent - 1);
  const auto count = start > end ? (start - end - step - 1) / -step : 0;
  // -1 would mean the last element when read again.
  return {start, end == -1 ? -extent - 1 : end, step, count};
}

std::optional<Ints> given(const std::optional<Ints>& field, const InferContext& c, std::size_t i,
                          const char* what) {
  return c.has_input(i) ? c.constant_ints(i, what) : field;
}

}  // namespace

void infer_op(Concat& op, InferContext& c) {
  if (c.input_count() == 0) bad_model("Concat has no inputs");
  Shape out = c.shape(0);
  op.axis = front_axis(op.axis, out.size());
  const auto axis = static_cast<std::size_t>(op.axis);
  for (std::size_t i = 1; i < c.input_count(); ++i) {
    c.require(i, c.type(0));
    auto next = c.shape(i);
    if (next.size() != out.size())
      bad_model("the shapes " + text(out) + " and " + text(next) + " cannot be concatenated");
    const auto extent = next[axis];
    next[axis] = out[axis];
    if (next != out)
      bad_model("the shapes " + text(out) + " and " + text(c.shape(i)) +
                " cannot be concatenated along axis " + std::to_string(op.axis));
    out[axis] = base::checked_add(out[axis], extent);
  }
  c.set_output(c.type(0), std::move(out));
}

void infer_op(Split& op, InferContext& c) {
  const auto& x = c.shape(0);
  op.axis = front_axis(op.axis, x.size());
  const auto extent = x[static_cast<std::size_t>(op.axis)];
  const auto parts = static_cast<std::int64_t>(c.output_count());
  op.sizes = given(op.sizes, c, 1, "split");
  if (!op.sizes) {
    const auto size = (extent + parts - 1) / parts;
    op.sizes = Ints(c.output_count(), size);
    op.sizes->back() = extent - size * (parts - 1);
  }
  if (op.sizes->size() != c.output_count())
    bad_model("split has " + std::to_string(op.sizes->size()) + " entries for " +
              std::to_string(parts) + " outputs");
  std::int64_t sum = 0;
  for (const auto size : *op.sizes) {
    if (size < 0)
      bad_model("an extent of " + std::to_string(extent) + " cannot be split in " +
                std::to_string(parts) + " such parts");
    sum = base::checked_add(sum, size);
  }
  if (sum != extent)
    bad_model("the parts " + text(*op.sizes) + " do not add up to " + std::to_string(extent));
  c.keep_inputs(1);
  for (std::size_t i = 0; i < op.sizes->size(); ++i) {
    Shape out = x;
    out[static_cast<std::size_t>(op.axis)] = (*op.sizes)[i];
    c.set_output(i, c.type(0), std::move(out));
  }
}

void infer_op(Slice& op, InferContext& c) {
  const auto& x = c.shape(0);
  auto starts = given(op.starts, c, 1, "starts");
  auto ends = given(op.ends, c, 2, "ends");
  auto axes = given(op.axes, c, 3, "axes");
  auto steps = given(op.steps, c, 4, "steps");
  if (!starts || !ends) bad_model("Slice has no starts or no ends");
  if (!axes) {
    axes = Ints(starts->size());
    std::iota(axes->begin(), axes->end(), 0);
  }
  if (!steps) steps = Ints(starts->size(), 1);
  if (ends->size() != starts->size() || axes->size() != starts->size() ||
      steps->size() != starts->size())
    bad_model("starts, ends, axes and steps differ in length");
  front_axes(*axes, x.size());

  Shape out = x;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    (*axes)[i] = front_axis((*axes)[i], x.size());
    const auto d = static_cast<std::size_t>((*axes)[i]);
    const auto range = resolve(x[d], (*starts)[i], (*ends)[i], (*steps)[i]);
    (*starts)[i] = range.start;
    (*ends)[i] = range.end;
    (*steps)[i] = range.step;
    out[d] = range.count;
  }
  op = {.starts = starts, .ends = ends, .axes = axes, .steps = steps};
  c.keep_inputs(1);
  c.set_output(c.type(0), std::move(out));
}

void infer_op(Pad& op, InferContext& c) {
  const auto& x = c.shape(0);
  auto pads = given(op.pads, c, 1, "pads");
  if (!pads) bad_model("Pad has no pads");
  if (c.has_input(2)) {
    const auto value = c.constant_floats(2, "constant_value");
    if (value.size() > 1) bad_model("the padding value is not a single number");
    if (value.size() == 1) op.value = value.front();
  }
  if (!op.value) op.value = 0.0f;
  Ints axes(x.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (c.has_input(3)) {
    axes = c.constant_ints(3, "axes");
    front_axes(axes, x.size());
  }
  if (pads->size() != 2 * axes.size())
    bad_model("pads has " + std::to_string(pads->size()) + " entries for " +
              std::to_string(axes.size()) + " axes");

  Ints full(2 * x.size(), 0);
  Shape out = x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(front_axis(axes[i], x.size()));
    const auto begin = (*pads)[i];
    const auto end = (*pads)[axes.size() + i];
    if (op.mode != PadMode::constant) {
      if (begin < 0 || end < 0) unsupported("negative padding that is not constant");
      const auto most = op.mode == PadMode::reflect ? x[d] - 1 : x[d];
      const bool too_far = op.mode == PadMode::edge ? x[d] < 1 : begin > most || end > most;
      if ((begin > 0 || end > 0) && too_far)
        bad_model("the padding is larger than the extent " + std::to_string(x[d]) + " allows");
    }
    out[d] = base::checked_add(base::checked_add(x[d], begin), end);
    if (out[d] < 0) bad_model("the padding removes more than there is");
    full[d] = begin;
    full[x.size() + d] = end;
  }
  op.pads = full;
  c.keep_inputs(1);
  c.set_output(c.type(0), std::move(out));
}

}  // namespace fovea::graph::detail
