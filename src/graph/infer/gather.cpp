#include "graph/infer/context.hpp"

namespace fovea::graph::detail {
namespace {

/// Indices that are known already must lie in [-extent, extent).
void check_indices(const Value& indices, std::int64_t extent) {
  if (!indices.constant) return;
  for (const auto index : indices.constant->ints)
    if (index < -extent || index >= extent)
      bad_model("index " + std::to_string(index) + " is outside an extent of " +
                std::to_string(extent));
}

/// The same for tuples of indices into the extents from `first` on.
void check_tuples(const Value& indices, const Shape& data, std::size_t first, std::size_t length) {
  if (!indices.constant || length == 0) return;
  const auto& ints = indices.constant->ints;
  for (std::size_t i = 0; i < ints.size(); ++i) {
    const auto extent = data[first + i % length];
    if (ints[i] < -extent || ints[i] >= extent)
      bad_model("index " + std::to_string(ints[i]) + " is outside an extent of " +
                std::to_string(extent));
  }
}

/// The last extent of the indices: how many leading extents of the data a tuple selects.
std::size_t tuple_length(const InferContext& c, std::size_t available) {
  const auto& indices = c.shape(1);
  if (indices.empty()) bad_model("the indices are a scalar");
  if (indices.back() < 1 || indices.back() > static_cast<std::int64_t>(available))
    bad_model("indices of shape " + text(indices) + " do not fit data of shape " +
              text(c.shape(0)));
  return static_cast<std::size_t>(indices.back());
}

}  // namespace

void infer_op(Gather& op, InferContext& c) {
  c.require(1, DType::i64);
  const auto& data = c.shape(0);
  const auto& indices = c.shape(1);
  op.axis = front_axis(op.axis, data.size());
  const auto axis = data.begin() + op.axis;
  check_indices(c.input(1), *axis);
  Shape out(data.begin(), axis);
  out.insert(out.end(), indices.begin(), indices.end());
  out.insert(out.end(), axis + 1, data.end());
  c.set_output(c.type(0), std::move(out));
}

void infer_op(GatherElements& op, InferContext& c) {
  c.require(1, DType::i64);
  const auto& data = c.shape(0);
  const auto& indices = c.shape(1);
  op.axis = front_axis(op.axis, data.size());
  const auto axis = static_cast<std::size_t>(op.axis);
  bool fits = indices.size() == data.size();
  for (std::size_t d = 0; fits && d < data.size(); ++d) fits = d == axis || indices[d] <= data[d];
  if (!fits)
    bad_model("indices of shape " + text(indices) + " do not fit data of shape " + text(data));
  check_indices(c.input(1), data[axis]);
  c.set_output(c.type(0), indices);
}

void infer_op(GatherND& op, InferContext& c) {
  c.require(1, DType::i64);
  const auto& data = c.shape(0);
  const auto& indices = c.shape(1);
  const auto batch = op.batch_dims;
  if (batch < 0 || batch >= static_cast<std::int64_t>(data.size()) ||
      batch >= static_cast<std::int64_t>(indices.size()))
    bad_model("batch_dims is " + std::to_string(batch));
  const auto b = static_cast<std::size_t>(batch);
  for (std::size_t d = 0; d < b; ++d)
    if (data[d] != indices[d]) bad_model("the batch extents of data and indices differ");
  const auto length = tuple_length(c, data.size() - b);
  check_tuples(c.input(1), data, b, length);
  Shape out(indices.begin(), indices.end() - 1);
  out.insert(out.end(), data.begin() + static_cast<std::ptrdiff_t>(b + length), data.end());
  c.set_output(c.type(0), std::move(out));
}

void infer_op(ScatterElements& op, InferContext& c) {
  c.require(1, DType::i64);
  c.require(2, c.type(0));
  if (op.kind != ScatterKind::replace && c.type(0) == DType::boolean) c.require_real(0);
  const auto& data = c.shape(0);
  const auto& indices = c.shape(1);
  op.axis = front_axis(op.axis, data.size());
  const auto axis = static_cast<std::size_t>(op.axis);
  bool fits = indices.size() == data.size();
  for (std::size_t d = 0; fits && d < data.size(); ++d) fits = d == axis || indices[d] <= data[d];
  if (!fits)
    bad_model("indices of shape " + text(indices) + " do not fit data of shape " + text(data));
  check_indices(c.input(1), data[axis]);
  c.require_shape(2, indices, "third input");
  c.set_output(c.type(0), data);
}

void infer_op(NonZero&, InferContext& c) {
  const auto& x = c.constant(0, "first");
  std::int64_t count = 0;
  if (x.type == DType::f32) {
    for (const auto v : x.floats()) count += v != 0 ? 1 : 0;
  } else {
    for (const auto v : x.ints) count += v != 0 ? 1 : 0;
  }
  c.set_output(DType::i64, {static_cast<std::int64_t>(x.shape.size()), count});
}

void infer_op(ScatterND& op, InferContext& c) {
  c.require(1, DType::i64);
  c.require(2, c.type(0));
  if (op.kind != ScatterKind::replace && c.type(0) == DType::boolean) c.require_real(0);
  const auto& data = c.shape(0);
  const auto& indices = c.shape(1);
  const auto length = tuple_length(c, data.size());
  check_tuples(c.input(1), data, 0, length);
  Shape updates(indices.begin(), indices.end() - 1);
  updates.insert(updates.end(), data.begin() + static_cast<std::ptrdiff_t>(length), data.end());
  c.require_shape(2, updates, "third input");
  c.set_output(c.type(0), data);
}

}  // namespace fovea::graph::detail
