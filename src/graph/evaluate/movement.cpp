#include <algorithm>

#include "graph/evaluate/evaluate.hpp"
#include "graph/infer/context.hpp"

namespace fovea::graph::detail {
namespace {

/// Appends `count` elements from `begin` on.
struct Appender {
  std::vector<float> floats;
  Ints ints;

  void add(const Constant& from, std::int64_t begin, std::int64_t count) {
    const auto b = static_cast<std::size_t>(begin);
    const auto n = static_cast<std::size_t>(count);
    if (from.type == DType::f32) {
      floats.resize(floats.size() + n);
      from.read(begin, std::span(floats).last(n));
    } else {
      const auto part = from.ints.subspan(b, n);
      ints.insert(ints.end(), part.begin(), part.end());
    }
  }

  Constant finish(DType type, const Shape& shape) {
    if (type == DType::f32) return Constant::of_floats(shape, std::move(floats));
    return Constant::of_ints(shape, std::move(ints), type);
  }
};

/// Product of the extents [begin, end).
std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t out = 1;
  for (auto d = begin; d < end; ++d) out *= shape[d];
  return out;
}

}  // namespace

std::optional<Constant> evaluate_op(const Slice& op, const Inputs& in, const Shape& shape) {
  StridedView strided{shape, dense_strides(in[0]->shape), 0};
  for (std::size_t i = 0; i < op.axes->size(); ++i) {
    const auto d = static_cast<std::size_t>((*op.axes)[i]);
    strided.offset += (*op.starts)[i] * strided.strides[d];
    // A step past the extent is never taken.
    strided.strides[d] *= shape[d] > 1 ? (*op.steps)[i] : 0;
  }
  return read(*in[0], strided, shape);
}

std::optional<Constant> evaluate_op(const Concat& op, const Inputs& in, const Shape& shape) {
  const auto axis = static_cast<std::size_t>(op.axis);
  const auto outer = product(shape, 0, axis);
  Appender out;
  for (std::int64_t o = 0; o < outer; ++o)
    for (const auto* part : in) {
      const auto block = product(part->shape, axis, part->shape.size());
      out.add(*part, o * block, block);
    }
  return out.finish(in[0]->type, shape);
}

std::optional<Constant> evaluate_op(const Gather& op, const Inputs& in, const Shape& shape) {
  const auto& data = *in[0];
  const auto axis = static_cast<std::size_t>(op.axis);
  const auto outer = product(data.shape, 0, axis);
  const auto extent = data.shape[axis];
  const auto inner = product(data.shape, axis + 1, data.shape.size());
  Appender out;
  for (std::int64_t o = 0; o < outer; ++o)
    for (const auto index : in[1]->ints) {
      out.add(data, (o * extent + checked_index(index, extent)) * inner, inner);
    }
  return out.finish(data.type, shape);
}

std::optional<Constant> evaluate_op(const GatherElements& op, const Inputs& in,
                                    const Shape& shape) {
  const auto& data = *in[0];
  const auto axis = static_cast<std::size_t>(op.axis);
  const auto strides = dense_strides(data.shape);
  // Where each element lies but for the axis.
  StridedView strided{shape, strides, 0};
  strided.strides[axis] = 0;
  Appender out;
  auto index = in[1]->ints.begin();
  for_each(strided, [&](std::int64_t at) {
    out.add(data, at + checked_index(*index++, data.shape[axis]) * strides[axis], 1);
  });
  return out.finish(data.type, shape);
}

std::optional<Constant> evaluate_op(const Tile& op, const Inputs& in, const Shape& shape) {
  // Each extent is gone through `repeats` times: twice the dimensions, the repeats without a
  // stride.
  const auto strides = dense_strides(in[0]->shape);
  StridedView strided;
  for (std::size_t d = 0; d < strides.size(); ++d) {
    strided.shape.push_back((*op.repeats)[d]);
    strided.strides.push_back(0);
    strided.shape.push_back(in[0]->shape[d]);
    strided.strides.push_back(strides[d]);
  }
  return read(*in[0], strided, shape);
}

std::optional<Constant> evaluate_op(const Transpose& op, const Inputs& in, const Shape& shape) {
  const auto strides = dense_strides(in[0]->shape);
  StridedView strided{shape, {}, 0};
  for (const auto axis : op.perm)
    strided.strides.push_back(strides[static_cast<std::size_t>(axis)]);
  return read(*in[0], strided, shape);
}

std::optional<Constant> evaluate_op(const Reshape&, const Inputs& in, const Shape& shape) {
  return view(*in[0], shape);
}

std::optional<Constant> evaluate_op(const Expand&, const Inputs& in, const Shape& shape) {
  return read(*in[0], broadcast_view(in[0]->shape, shape), shape);
}

std::vector<Constant> evaluate_split(const Split& op, const Constant& in) {
  const auto axis = static_cast<std::size_t>(op.axis);
  StridedView strided{in.shape, dense_strides(in.shape), 0};
  std::vector<Constant> out;
  for (const auto size : *op.sizes) {
    strided.shape[axis] = size;
    out.push_back(read(in, strided, strided.shape));
    strided.offset += size * strided.strides[axis];
  }
  return out;
}

}  // namespace fovea::graph::detail
