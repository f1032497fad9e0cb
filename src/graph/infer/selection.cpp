#include "graph/evaluate/non_max_suppression.hpp"
#include "graph/infer/context.hpp"

namespace fovea::graph::detail {

void infer_op(TopK& op, InferContext& c) {
  if (c.type(0) == DType::boolean) c.require_real(0);
  const auto& x = c.shape(0);
  op.axis = front_axis(op.axis, x.size());
  const auto extent = x[static_cast<std::size_t>(op.axis)];
  if (c.has_input(1)) {
    const auto k = c.constant_ints(1, "k");
    if (k.size() != 1) bad_model("k holds " + std::to_string(k.size()) + " numbers, not one");
    op.k = k.front();
  }
  if (!op.k) bad_model("k is missing");
  if (*op.k < 0 || *op.k > extent)
    bad_model("k is " + std::to_string(*op.k) + " for an extent of " + std::to_string(extent));
  c.keep_inputs(1);
  Shape out = x;
  out[static_cast<std::size_t>(op.axis)] = *op.k;
  c.set_output(DType::i64, std::move(out));
}

namespace {

/// A parameter of one number; null where it is absent.
const Constant* scalar(const InferContext& c, std::size_t i, DType type, std::string_view what) {
  if (!c.has_input(i)) return nullptr;
  c.require(i, type);
  const auto& out = c.constant(i, what);
  if (out.size() != 1) bad_model("the " + std::string(what) + " is not one number");
  return &out;
}

}  // namespace

void infer_op(NonMaxSuppression& op, InferContext& c) {
  c.require(0, DType::f32);
  c.require(1, DType::f32);
  const auto &boxes = c.shape(0), &scores = c.shape(1);
  const bool fit = boxes.size() == 3 && scores.size() == 3 && boxes[2] == 4 &&
                   boxes[0] == scores[0] && boxes[1] == scores[2];
  if (!fit) bad_model("boxes of shape " + text(boxes) + " for scores of shape " + text(scores));
  const std::vector<const Constant*> in{
      &c.constant(0, "boxes"), &c.constant(1, "scores"), scalar(c, 2, DType::i64, "largest count"),
      scalar(c, 3, DType::f32, "overlap"), scalar(c, 4, DType::f32, "least score")};
  const auto found = non_max_suppression(op, boxes_of(in));
  c.set_output(DType::i64, {static_cast<std::int64_t>(found.size()) / 3, 3});
}

void infer_op(RoiAlign& op, InferContext& c) {
  c.require(0, DType::f32);
  c.require(1, DType::f32);
  c.require(2, DType::i64);
  const auto &x = c.shape(0), &regions = c.shape(1);
  if (x.size() != 4 || x[2] < 1 || x[3] < 1) bad_model("a map of shape " + text(x));
  if (regions.size() != 2 || regions[1] != 4) bad_model("regions of shape " + text(regions));
  c.require_shape(2, {regions[0]}, "third input");
  if (const auto& images = c.input(2).constant)
    for (const auto image : images->ints)
      if (image < 0 || image >= x[0])
        bad_model("a region of image " + std::to_string(image) + " of " + std::to_string(x[0]));
  if (op.rows < 1 || op.columns < 1 || op.samples < 0) bad_model("an extent below 1");
  c.set_output(DType::f32, {regions[0], x[1], op.rows, op.columns});
}

}  // namespace fovea::graph::detail
