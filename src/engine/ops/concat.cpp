#include <algorithm>
#include <cstring>

#include "base/parallel.hpp"
#include "engine/dnnl_compat.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::Concat;
using graph::Split;

/// Rows before the axis, and floats per row of an operand.
struct AxisCopy {
  std::int64_t rows = 1;
  std::int64_t inner = 1;
  AxisCopy(const Shape& shape, std::size_t axis) {
    for (std::size_t i = 0; i < axis; ++i) rows *= shape[i];
    for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  }
};

/// Copies `rows` runs of `run` floats between row pitches.
void copy_rows(const float* src, std::int64_t src_pitch, float* dst, std::int64_t dst_pitch,
               std::int64_t rows, std::int64_t run) {
  base::parallel_for(rows,
                     std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, run)),
                     [=](std::int64_t begin, std::int64_t end) {
                       for (auto r = begin; r < end; ++r)
                         std::memcpy(dst + r * dst_pitch, src + r * src_pitch,
                                     static_cast<std::size_t>(run) * sizeof(float));
                     });
}

/// Writes part of the axis of `whole` (extent `total`, from `start`) out to `part`.
void slice_step(Builder& b, const Operand& whole, const Operand& part, const AxisCopy& copy,
                std::int64_t total, std::int64_t start, std::int64_t extent) {
  b.kernel(
      [=](Pointers p) {
        copy_rows(floats(p, 0) + start * copy.inner, total * copy.inner, floats(p, 1),
                  extent * copy.inner, copy.rows, extent * copy.inner);
      },
      {whole}, {part});
}

void paste_step(Builder& b, const Operand& part, const Operand& whole, const AxisCopy& copy,
                std::int64_t total, std::int64_t start, std::int64_t extent) {
  b.kernel(
      [=](Pointers p) {
        copy_rows(floats(p, 0), extent * copy.inner, floats(p, 1) + start * copy.inner,
                  total * copy.inner, copy.rows, extent * copy.inner);
      },
      {part}, {whole});
}

/// The part of a map's channels from `channel` on, of one image in blocked layout, as `shape`.
Operand channels_of(const Operand& whole, const Shape& whole_shape, std::int64_t channel,
                    const Shape& shape) {
  Operand out = whole.as(*home_desc(shape, Type::f32));
  std::int64_t positions = 1;
  for (std::size_t i = 2; i < whole_shape.size(); ++i) positions *= whole_shape[i];
  out.offset += static_cast<std::size_t>(channel * positions) * sizeof(float);
  return out;
}

/// Each operand is, or is brought, where it belongs.
bool concat_in_place(ForwardContext& c) {
  const Operand whole = c.b.place_of(c.node().outputs[0]);
  if (!whole) return false;
  std::int64_t channel = 0;
  for (std::size_t i = 0; i < c.inputs(); ++i) {
    const Operand part = channels_of(whole, c.out_shape(), channel, c.in_shape(i));
    const Operand value = c.in(i);
    if (!same_place(value, part)) c.b.copy_to(value, part);
    channel += c.in_shape(i)[1];
  }
  c.out(0, whole);
  return true;
}

/// Channels of several images' maps: oneDNN concatenates them in their own layout.
bool concat_maps(const Concat& op, ForwardContext& c) {
  if (op.axis != 1) return false;
  const Type type = type_of(c.in(0).desc);
  const auto dst_desc = home_desc(c.out_shape(), type);
  if (!dst_desc) return false;
  for (std::size_t i = 0; i < c.inputs(); ++i)
    if (c.in_shape(i)[1] == 0 || c.in_shape(i)[1] % home_block() != 0) return false;
  std::vector<Desc> descs;
  std::vector<std::pair<int, Operand>> args;
  for (std::size_t i = 0; i < c.inputs(); ++i) {
    const Operand tensor = c.b.in_layout(c.in(i), *home_desc(c.in_shape(i), type));
    descs.push_back(tensor.desc);
    args.emplace_back(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), tensor);
  }
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto pd = compat::concat(cpu(), *dst_desc, 1, descs, attr);
  const Operand dst = c.b.make(*dst_desc);
  args.emplace_back(DNNL_ARG_DST, dst);
  c.b.primitive(dnnl::concat(pd), pd.scratchpad_desc(), pd.impl_info_str(), std::move(args));
  c.out(0, dst);
  return true;
}

}  // namespace

void forward(const Concat& op, ForwardContext& c) {
  if (concat_in_place(c) || concat_maps(op, c)) return;
  const auto axis = static_cast<std::size_t>(op.axis);
  const AxisCopy copy(c.out_shape(), axis);
  const Operand dst = c.make_plain_out();
  std::int64_t start = 0;
  for (std::size_t i = 0; i < c.inputs(); ++i) {
    const auto extent = c.in_shape(i)[axis];
    paste_step(c.b, c.plain_in(i), dst, copy, c.out_shape()[axis], start, extent);
    start += extent;
  }
  c.out(0, dst);
}

void backward(const Concat& op, BackwardContext& c) {
  const auto axis = static_cast<std::size_t>(op.axis);
  const AxisCopy copy(c.out_shape(), axis);
  const bool in_place = concatenates_in_place(c.b.graph(), c.node()) &&
                        c.grad().desc == *home_desc(c.out_shape(), Type::f32);
  std::int64_t start = 0;
  for (std::size_t i = 0; i < c.inputs(); ++i) {
    const auto extent = c.in_shape(i)[axis];
    if (c.wants(i) && in_place) {
      c.send(i, channels_of(c.grad(), c.out_shape(), start, c.in_shape(i)));
    } else if (c.wants(i)) {
      const Operand part = c.make_plain_grad(i);
      slice_step(c.b, c.plain_grad(), part, copy, c.out_shape()[axis], start, extent);
      c.send(i, part);
    }
    start += extent;
  }
}

void forward(const Split& op, ForwardContext& c) {
  const auto axis = static_cast<std::size_t>(op.axis);
  const AxisCopy copy(c.in_shape(0), axis);
  const Operand src = c.plain_in(0);
  std::int64_t start = 0;
  for (std::size_t o = 0; o < c.outputs(); ++o) {
    const auto extent = c.out_shape(o)[axis];
    const Operand part = c.make_plain_out(o);
    slice_step(c.b, src, part, copy, c.in_shape(0)[axis], start, extent);
    c.out(o, part);
    start += extent;
  }
}

void backward(const Split& op, BackwardContext& c) {
  const auto axis = static_cast<std::size_t>(op.axis);
  const AxisCopy copy(c.in_shape(0), axis);
  const Operand dx = c.make_plain_grad(0);
  const auto n = stored_elements(dx.desc);
  c.b.kernel([n](Pointers p) { std::fill(floats(p, 0), floats(p, 0) + n, 0.f); }, {}, {dx});
  std::int64_t start = 0;
  for (std::size_t o = 0; o < c.outputs(); ++o) {
    const auto extent = c.out_shape(o)[axis];
    if (c.has_grad(o))
      paste_step(c.b, c.plain_grad(o), dx, copy, c.in_shape(0)[axis], start, extent);
    start += extent;
  }
  c.send(0, dx);
}

}  // namespace fovea::engine
