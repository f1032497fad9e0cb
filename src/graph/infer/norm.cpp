#include <algorithm>
#include <cmath>

#include "graph/infer/context.hpp"

namespace fovea::graph::detail {
namespace {

void require_epsilon(float epsilon) {
  if (!(epsilon >= 0) || std::isinf(epsilon)) bad_model("epsilon is not a non-negative number");
}

/// x of rank 2 or more with channels in its second extent.
std::int64_t channels(const InferContext& c) {
  c.require(0, DType::f32);
  const auto& x = c.shape(0);
  if (x.size() < 2) bad_model("the input of shape " + text(x) + " has no channels");
  for (const auto extent : x)
    if (extent < 1) bad_model("the input has shape " + text(x) + ", with an empty extent");
  return x[1];
}

void require_vectors(const InferContext& c, std::initializer_list<const char*> names,
                     std::int64_t extent) {
  std::size_t i = 1;
  for (const auto* name : names) {
    c.require(i, DType::f32);
    c.require_shape(i, {extent}, name);
    ++i;
  }
}

}  // namespace

void infer_op(BatchNorm& op, InferContext& c) {
  require_epsilon(op.epsilon);
  if (op.training) {
    if (c.depends_on_feed(0)) unsupported("BatchNormalization in training mode");
    require_vectors(c, {"scale", "bias"}, channels(c));
    c.keep_inputs(3);
    c.set_output(DType::f32, c.shape(0));
    return;
  }
  require_vectors(c, {"scale", "bias", "mean", "variance"}, channels(c));
  c.set_output(DType::f32, c.shape(0));
}

void infer_op(LayerNorm& op, InferContext& c) {
  require_epsilon(op.epsilon);
  c.require(0, DType::f32);
  const auto& x = c.shape(0);
  op.axis = front_axis(op.axis, x.size());
  const Shape normalised(x.begin() + op.axis, x.end());
  for (const auto extent : normalised)
    if (extent < 1) bad_model("the normalised extents " + text(normalised) + " are empty");
  c.require(1, DType::f32);
  c.require_shape(1, normalised, "scale");
  if (c.has_input(2)) {
    c.require(2, DType::f32);
    c.require_shape(2, normalised, "bias");
  }
  c.set_output(DType::f32, x);
}

void infer_op(InstanceNorm& op, InferContext& c) {
  require_epsilon(op.epsilon);
  const auto count = channels(c);
  if (c.shape(0).size() < 3) bad_model("the input has no spatial extent");
  require_vectors(c, {"scale", "bias"}, count);
  c.set_output(DType::f32, c.shape(0));
}

void infer_op(GroupNorm& op, InferContext& c) {
  require_epsilon(op.epsilon);
  const auto count = channels(c);
  if (op.groups < 1 || count % op.groups != 0)
    bad_model(std::to_string(op.groups) + " groups do not divide " + std::to_string(count) +
              " channels");
  const bool per_group = c.shape(1) == Shape{op.groups};
  require_vectors(c, {"scale", "bias"}, per_group ? op.groups : count);
  c.set_output(DType::f32, c.shape(0));
}

void infer_op(Lrn& op, InferContext& c) {
  channels(c);
  if (op.size < 1) bad_model("size is " + std::to_string(op.size));
  if (!std::isfinite(op.alpha) || !std::isfinite(op.beta) || !std::isfinite(op.bias))
    bad_model("a parameter is not a finite number");
  c.set_output(DType::f32, c.shape(0));
}

void infer_op(Hardmax& op, InferContext& c) {
  c.require(0, DType::f32);
  op.axis = front_axis(op.axis, c.shape(0).size());
  for (const auto extent : c.shape(0))
    if (extent < 1) bad_model("the input has shape " + text(c.shape(0)) + ", with an empty extent");
  c.set_output(DType::f32, c.shape(0));
}

void infer_op(Softmax& op, InferContext& c) {
  c.require(0, DType::f32);
  const auto& x = c.shape(0);
  op.axis = front_axis(op.axis, x.size());
  if (op.flatten) {
    // Where all but one of the flattened extents are 1, it is the softmax over that one.
    std::int64_t wide = -1;
    int count = 0;
    for (auto d = op.axis; d < static_cast<std::int64_t>(x.size()); ++d)
      if (x[static_cast<std::size_t>(d)] != 1) {
        wide = d;
        ++count;
      }
    if (count <= 1) {
      op.flatten = false;
      if (count == 1) op.axis = wide;
    }
  }
  c.set_output(DType::f32, x);
}

}  // namespace fovea::graph::detail
