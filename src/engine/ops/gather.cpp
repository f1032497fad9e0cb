#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::Gather;
using graph::GatherElements;
using graph::GatherND;
using graph::ScatterElements;
using graph::ScatterKind;
using graph::ScatterND;

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t n = 1;
  for (std::size_t i = begin; i < end; ++i) n *= shape[i];
  return n;
}

/// An index value checked against its axis; indices may be computed at run time.
std::int64_t checked_index(float value, std::int64_t extent) {
  const auto limit = static_cast<float>(extent);
  if (!(value >= -limit && value < limit))
    throw Error(ErrorCode::bad_input, "an index is outside of its axis");
  const auto index = static_cast<std::int64_t>(value);
  return index < 0 ? index + extent : index;
}

/// Runs of `run` floats: run i of the result comes from (or goes to) offset at(i) of the data. The
/// operators differ in how an offset is computed.
struct Runs {
  std::int64_t count = 0;
  std::int64_t run = 1;
  std::int64_t data_size = 0;
  std::function<std::int64_t(const float* indices, std::int64_t i)> at;
};

Runs runs_of(const Gather& op, const Shape& data, const Shape& indices) {
  const auto axis = static_cast<std::size_t>(op.axis);
  const std::int64_t outer = product(data, 0, axis), extent = data[axis];
  const std::int64_t run = product(data, axis + 1, data.size());
  const std::int64_t picks = product(indices, 0, indices.size());
  return {outer * picks, run, product(data, 0, data.size()),
          [=](const float* index, std::int64_t i) {
            return (i / picks * extent + checked_index(index[i % picks], extent)) * run;
          }};
}

/// Element by element, where an element lies but for the axis.
Runs element_runs(std::int64_t along, const Shape& data, const Shape& indices) {
  const auto axis = static_cast<std::size_t>(along);
  const Dims strides = plain_strides(data);
  return {product(indices, 0, indices.size()), 1, product(data, 0, data.size()),
          [=](const float* index, std::int64_t i) {
            std::int64_t at = strides[axis] * checked_index(index[i], data[axis]);
            for (std::size_t d = indices.size(); d-- > 0; i /= indices[d])
              if (d != axis) at += strides[d] * (i % indices[d]);
            return at;
          }};
}

/// Index tuples of the last axis of `indices`, over data whose first `batch` axes are shared.
Runs tuple_runs(std::int64_t batch, const Shape& data, const Shape& indices) {
  const auto shared = static_cast<std::size_t>(batch);
  const auto depth = static_cast<std::size_t>(indices.back());
  const std::int64_t tuples = product(indices, 0, indices.size() - 1);
  const std::int64_t batches = product(indices, 0, shared);
  const std::int64_t per_batch = batches == 0 ? 0 : tuples / batches;
  const std::int64_t run = product(data, shared + depth, data.size());
  const std::int64_t block = product(data, shared, data.size());
  const Dims strides = plain_strides(data);
  Shape extents;
  Dims steps;
  for (std::size_t k = 0; k < depth; ++k) {
    extents.push_back(data[shared + k]);
    steps.push_back(strides[shared + k]);
  }
  return {tuples, run, product(data, 0, data.size()), [=](const float* index, std::int64_t i) {
            std::int64_t at = i / per_batch * block;
            for (std::size_t k = 0; k < extents.size(); ++k)
              at += steps[k] *
                    checked_index(
                        index[i * static_cast<std::int64_t>(depth) + static_cast<std::int64_t>(k)],
                        extents[k]);
            return at;
          }};
}

void gather_forward(ForwardContext& c, const Runs& runs) {
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [runs](Pointers p) {
        for (std::int64_t i = 0; i < runs.count; ++i)
          std::memcpy(floats(p, 2) + i * runs.run, floats(p, 0) + runs.at(floats(p, 1), i),
                      static_cast<std::size_t>(runs.run) * sizeof(float));
      },
      {c.plain_in(0), c.plain_in(1)}, {dst});
  c.out(0, dst);
}

void gather_backward(BackwardContext& c, const Runs& runs) {
  const Operand dx = c.make_plain_grad(0);
  c.b.kernel(
      [runs](Pointers p) {
        float* x = floats(p, 2);
        std::fill(x, x + runs.data_size, 0.f);
        for (std::int64_t i = 0; i < runs.count; ++i)
          simd::kernels().axpy(1.f, floats(p, 0) + i * runs.run, x + runs.at(floats(p, 1), i),
                               runs.run);
      },
      {c.plain_grad(), c.plain_in(1)}, {dx});
  c.send(0, dx);
}

}  // namespace

void forward(const Gather& op, ForwardContext& c) {
  gather_forward(c, runs_of(op, c.in_shape(0), c.in_shape(1)));
}
void backward(const Gather& op, BackwardContext& c) {
  gather_backward(c, runs_of(op, c.in_shape(0), c.in_shape(1)));
}
void forward(const GatherElements& op, ForwardContext& c) {
  gather_forward(c, element_runs(op.axis, c.in_shape(0), c.in_shape(1)));
}
void backward(const GatherElements& op, BackwardContext& c) {
  gather_backward(c, element_runs(op.axis, c.in_shape(0), c.in_shape(1)));
}

void forward(const GatherND& op, ForwardContext& c) {
  gather_forward(c, tuple_runs(op.batch_dims, c.in_shape(0), c.in_shape(1)));
}
void backward(const GatherND& op, BackwardContext& c) {
  gather_backward(c, tuple_runs(op.batch_dims, c.in_shape(0), c.in_shape(1)));
}

namespace {

float scattered(ScatterKind kind, float old, float update) {
  switch (kind) {
    case ScatterKind::replace:
      break;
    case ScatterKind::add:
      return old + update;
    case ScatterKind::mul:
      return old * update;
    case ScatterKind::max:
      return std::isnan(old) || old > update ? old : update;
    case ScatterKind::min:
      return std::isnan(old) || old < update ? old : update;
  }
  return update;
}

void scatter_forward(ForwardContext& c, ScatterKind kind, const Runs& runs) {
  const Operand dst = c.make_plain_out();
  // An integer has no negative zero.
  const bool integers = c.out_type() != graph::DType::f32;
  c.b.kernel(
      [kind, runs, integers](Pointers p) {
        float* out = floats(p, 3);
        std::memcpy(out, floats(p, 0), static_cast<std::size_t>(runs.data_size) * sizeof(float));
        for (std::int64_t i = 0; i < runs.count; ++i) {
          float* to = out + runs.at(floats(p, 1), i);
          const float* from = floats(p, 2) + i * runs.run;
          for (std::int64_t k = 0; k < runs.run; ++k) {
            to[k] = scattered(kind, to[k], from[k]);
            if (integers) to[k] += 0.f;
          }
        }
      },
      {c.plain_in(0), c.plain_in(1), c.plain_in(2)}, {dst});
  c.out(0, dst);
}

/// Of the data: nothing where an update replaced it.
void send_to_data(BackwardContext& c, const Runs& runs) {
  const Operand dx = c.make_plain_grad(0);
  c.b.kernel(
      [runs](Pointers p) {
        float* out = floats(p, 2);
        std::memcpy(out, floats(p, 0), static_cast<std::size_t>(runs.data_size) * sizeof(float));
        for (std::int64_t i = 0; i < runs.count; ++i) {
          float* run = out + runs.at(floats(p, 1), i);
          std::fill(run, run + runs.run, 0.f);
        }
      },
      {c.plain_grad(), c.plain_in(1)}, {dx});
  c.send(0, dx);
}

/// Of updates to one place the last one stays, so it alone has the gradient: marking each place
/// with its last writer needs a scratch tensor of the data's size.
void send_to_updates(BackwardContext& c, const Runs& runs) {
  const Operand du = c.make_plain_grad(2);
  const Operand writer = c.make_plain_grad(0);
  c.b.kernel(
      [runs](Pointers p) {
        for (std::int64_t i = 0; i < runs.count; ++i)
          reinterpret_cast<std::int32_t*>(p[3])[runs.at(floats(p, 1), i)] =
              static_cast<std::int32_t>(i);
        for (std::int64_t i = 0; i < runs.count; ++i) {
          const auto at = runs.at(floats(p, 1), i);
          float* out = floats(p, 2) + i * runs.run;
          const bool last = reinterpret_cast<const std::int32_t*>(p[3])[at] == i;
          for (std::int64_t k = 0; k < runs.run; ++k) out[k] = last ? floats(p, 0)[at + k] : 0.f;
        }
      },
      {c.plain_grad(), c.plain_in(1)}, {du, writer});
  c.send(2, du);
}

/// Sums take every update as it is.
void send_sums(BackwardContext& c, const Runs& runs) {
  if (c.wants(0)) c.send(0, c.plain_grad());
  if (!c.wants(2)) return;
  const Operand du = c.make_plain_grad(2);
  c.b.kernel(
      [runs](Pointers p) {
        for (std::int64_t i = 0; i < runs.count; ++i)
          std::memcpy(floats(p, 2) + i * runs.run, floats(p, 0) + runs.at(floats(p, 1), i),
                      static_cast<std::size_t>(runs.run) * sizeof(float));
      },
      {c.plain_grad(), c.plain_in(1)}, {du});
  c.send(2, du);
}

void scatter_backward(BackwardContext& c, ScatterKind kind, const Runs& runs) {
  switch (kind) {
    case ScatterKind::replace:
      if (c.wants(0)) send_to_data(c, runs);
      if (c.wants(2)) send_to_updates(c, runs);
      return;
    case ScatterKind::add:
      return send_sums(c, runs);
    case ScatterKind::mul:
    case ScatterKind::max:
    case ScatterKind::min:
      break;
  }
  c.fail(ErrorCode::unsupported, "this reduction has no gradient");
}

}  // namespace

void forward(const ScatterND& op, ForwardContext& c) {
  scatter_forward(c, op.kind, tuple_runs(0, c.in_shape(0), c.in_shape(1)));
}
void backward(const ScatterND& op, BackwardContext& c) {
  scatter_backward(c, op.kind, tuple_runs(0, c.in_shape(0), c.in_shape(1)));
}

void forward(const ScatterElements& op, ForwardContext& c) {
  scatter_forward(c, op.kind, element_runs(op.axis, c.in_shape(0), c.in_shape(1)));
}
void backward(const ScatterElements& op, BackwardContext& c) {
  scatter_backward(c, op.kind, element_runs(op.axis, c.in_shape(0), c.in_shape(1)));
}

}  // namespace fovea::engine
