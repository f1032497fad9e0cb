#include <algorithm>
#include <cmath>
#include <memory>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"
#include "engine/ops/index_map.hpp"

namespace fovea::engine {
namespace {

using graph::NearestMode;
using graph::Resize;
using graph::ResizeCoordinates;
using graph::ResizeMode;

/// The place in the source that output index `i` looks at.
double source_coordinate(const Resize& op, std::int64_t i, double scale, std::int64_t in,
                         std::int64_t out) {
  const auto x = static_cast<double>(i);
  switch (op.coordinates) {
    case ResizeCoordinates::half_pixel:
      return (x + 0.5) / scale - 0.5;
    case ResizeCoordinates::pytorch_half_pixel:
      return out > 1 ? (x + 0.5) / scale - 0.5 : 0.0;
    case ResizeCoordinates::align_corners:
      return out > 1 ? x * static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0.0;
    case ResizeCoordinates::asymmetric:
      return x / scale;
  }
  return 0;
}

std::int64_t nearest(NearestMode mode, double x) {
  switch (mode) {
    case NearestMode::round_prefer_floor:
      return static_cast<std::int64_t>(std::ceil(x - 0.5));
    case NearestMode::round_prefer_ceil:
      return static_cast<std::int64_t>(std::floor(x + 0.5));
    case NearestMode::floor:
      return static_cast<std::int64_t>(std::floor(x));
    case NearestMode::ceil:
      return static_cast<std::int64_t>(std::ceil(x));
  }
  return 0;
}

IndexMap nearest_map(const Resize& op, const Shape& in, const Shape& out) {
  IndexMap map{in, {}};
  for (std::size_t axis = 0; axis < in.size(); ++axis) {
    AxisIndex table(static_cast<std::size_t>(out[axis]));
    for (std::size_t i = 0; i < table.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      table[i] = in[axis] == out[axis] && (*op.scales)[axis] == 1.f
                     ? at
                     : std::clamp<std::int64_t>(
                           nearest(op.nearest, source_coordinate(op, at, (*op.scales)[axis],
                                                                 in[axis], out[axis])),
                           0, in[axis] - 1);
    }
    map.axes.push_back(std::move(table));
  }
  return map;
}

/// One axis interpolated: two taps per output index.
struct Taps {
  std::int64_t outer = 1, inner = 1, in = 1, out = 1;
  std::vector<std::int64_t> low, high;
  std::vector<float> weight;  // of `high`
};

/// The axes that change, in order; extents of the intermediate tensors follow.
std::vector<Taps> linear_taps(const Resize& op, const Shape& in, const Shape& out) {
  std::vector<Taps> all;
  Shape shape = in;
  for (std::size_t axis = 0; axis < in.size(); ++axis) {
    const double scale = (*op.scales)[axis];
    if (in[axis] == out[axis] && scale == 1.0) continue;
    Taps taps;
    for (std::size_t i = 0; i < axis; ++i) taps.outer *= shape[i];
    for (std::size_t i = axis + 1; i < shape.size(); ++i) taps.inner *= shape[i];
    taps.in = in[axis];
    taps.out = out[axis];
    for (std::int64_t i = 0; i < out[axis]; ++i) {
      const double x = std::clamp(source_coordinate(op, i, scale, in[axis], out[axis]), 0.0,
                                  static_cast<double>(in[axis] - 1));
      const auto low = static_cast<std::int64_t>(std::floor(x));
      taps.low.push_back(low);
      taps.high.push_back(std::min(low + 1, in[axis] - 1));
      taps.weight.push_back(static_cast<float>(x - static_cast<double>(low)));
    }
    shape[axis] = out[axis];
    all.push_back(std::move(taps));
  }
  return all;
}

Desc flat(const Taps& t, std::int64_t extent) {
  return plain_desc({t.outer, extent, t.inner});
}

}  // namespace

void forward(const Resize& op, ForwardContext& c) {
  Operand current = c.plain_in(0);
  if (op.mode == ResizeMode::nearest) {
    const Operand dst = c.make_plain_out();
    index_forward(c.b, nearest_map(op, c.in_shape(0), c.out_shape()), current, dst, 0);
    c.out(0, dst);
    return;
  }
  for (auto& taps : linear_taps(op, c.in_shape(0), c.out_shape())) {
    const Operand dst = c.b.make(flat(taps, taps.out));
    auto t = std::make_shared<const Taps>(std::move(taps));
    c.b.kernel(
        [t](Pointers p) {
          const float* x = floats(p, 0);
          float* y = floats(p, 1);
          base::parallel_for(t->outer * t->out, std::max<std::int64_t>(1, kElementGrain / t->inner),
                             [&, x, y](std::int64_t begin, std::int64_t end) {
                               for (auto row = begin; row < end; ++row) {
                                 const auto i = static_cast<std::size_t>(row % t->out);
                                 const float* plane = x + row / t->out * t->in * t->inner;
                                 const float* a = plane + t->low[i] * t->inner;
                                 const float* b = plane + t->high[i] * t->inner;
                                 for (std::int64_t k = 0; k < t->inner; ++k)
                                   y[row * t->inner + k] = a[k] + (b[k] - a[k]) * t->weight[i];
                               }
                             });
        },
        {current}, {dst});
    current = dst;
  }
  current.desc = plain_desc(c.out_shape());
  c.out(0, current);
}

void backward(const Resize& op, BackwardContext& c) {
  if (op.mode == ResizeMode::nearest) {
    const Operand dx = c.make_plain_grad(0);
    index_backward(c.b, nearest_map(op, c.in_shape(0), c.out_shape()), c.plain_grad(), dx);
    c.send(0, dx);
    return;
  }
  Operand current = c.plain_grad();
  auto all = linear_taps(op, c.in_shape(0), c.out_shape());
  for (auto taps = all.rbegin(); taps != all.rend(); ++taps) {
    const Operand dx = c.b.make(flat(*taps, taps->in));
    auto t = std::make_shared<const Taps>(std::move(*taps));
    c.b.kernel(
        [t](Pointers p) {
          const float* dy = floats(p, 0);
          float* x = floats(p, 1);
          base::parallel_for(t->outer, 1, [&, dy, x](std::int64_t begin, std::int64_t end) {
            for (auto o = begin; o < end; ++o) {
              float* plane = x + o * t->in * t->inner;
              std::fill(plane, plane + t->in * t->inner, 0.f);
              for (std::size_t i = 0; i < t->low.size(); ++i) {
                const float* row = dy + (o * t->out + static_cast<std::int64_t>(i)) * t->inner;
                float* a = plane + t->low[i] * t->inner;
                float* b = plane + t->high[i] * t->inner;
                for (std::int64_t k = 0; k < t->inner; ++k) {
                  a[k] += row[k] * (1 - t->weight[i]);
                  b[k] += row[k] * t->weight[i];
                }
              }
            }
          });
        },
        {current}, {dx});
    current = dx;
  }
  current.desc = plain_desc(c.in_shape(0));
  c.send(0, current);
}

}  // namespace fovea::engine
