#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"
#include "engine/ops/index_map.hpp"
#include "engine/ops/resize_taps.hpp"

namespace fovea::engine {
namespace {

using graph::Resize;
using graph::ResizeMode;

IndexMap nearest_map(const Resize& op, const Shape& in) {
  IndexMap map{in, {}};
  for (std::size_t axis = 0; axis < in.size(); ++axis) {
    const auto taps = resize_taps(op, axis, in[axis]);
    AxisIndex table(static_cast<std::size_t>(taps.rows()), -1);
    for (std::size_t i = 0; i < table.size(); ++i)
      if (taps.begin[i] < taps.begin[i + 1]) table[i] = taps.index[taps.begin[i]];
    map.axes.push_back(std::move(table));
  }
  return map;
}

/// A tensor seen as [outer, in, inner], which becomes [outer, out, inner].
struct AxisView {
  std::int64_t outer = 1, inner = 1, in = 1, out = 1;
  Desc from() const { return plain_desc({outer, in, inner}); }
  Desc to() const { return plain_desc({outer, out, inner}); }
  AxisView turned() const { return {outer, inner, out, in}; }
};

struct AxisPass {
  AxisView view;
  AxisTaps taps;
};

/// The axes that change, in order; extents of the tensors between them follow.
std::vector<AxisPass> passes_of(const Resize& op, const Shape& in) {
  std::vector<AxisPass> all;
  Shape shape = in;
  for (std::size_t axis = 0; axis < in.size(); ++axis) {
    if (keeps_axis(op, axis, in[axis])) continue;
    AxisView view;
    for (std::size_t i = 0; i < axis; ++i) view.outer *= shape[i];
    for (std::size_t i = axis + 1; i < shape.size(); ++i) view.inner *= shape[i];
    view.in = in[axis];
    view.out = (*op.sizes)[axis];
    shape[axis] = view.out;
    all.push_back({view, resize_taps(op, axis, in[axis])});
  }
  return all;
}

/// One or two elements per row, the second the next: as linear interpolation has them.
struct Pairs {
  std::vector<std::int64_t> low, high;
  std::vector<float> weight;  // of `high`
};

/// Of a linear interpolation; none where the border of a crop cuts it.
std::optional<Pairs> pairs_of(const Resize& op, const AxisTaps& taps) {
  if (op.mode != ResizeMode::linear || op.antialias) return std::nullopt;
  Pairs out;
  for (std::size_t i = 0; i + 1 < taps.begin.size(); ++i) {
    const auto first = taps.begin[i], count = taps.begin[i + 1] - first;
    if (count < 1 || count > 2) return std::nullopt;
    out.low.push_back(taps.index[first]);
    out.high.push_back(taps.index[first + count - 1]);
    out.weight.push_back(count == 2 ? taps.weight[first + 1] : 0.f);
  }
  return out;
}

template <class Row>  // row(x, y, i): x the plane, y the row i
void axis_step(Builder& b, const AxisView& view, const Operand& src, const Operand& dst, Row row) {
  b.kernel(
      [view, row](Pointers p) {
        const float* x = floats(p, 0);
        float* y = floats(p, 1);
        base::parallel_for(view.outer * view.out,
                           std::max<std::int64_t>(1, kElementGrain / view.inner),
                           [&, x, y](std::int64_t begin, std::int64_t end) {
                             for (auto at = begin; at < end; ++at)
                               row(x + at / view.out * view.in * view.inner, y + at * view.inner,
                                   static_cast<std::size_t>(at % view.out));
                           });
      },
      {src}, {dst});
}

void taps_step(Builder& b, const AxisView& view, AxisTaps made, const Operand& src,
               const Operand& dst) {
  auto taps = std::make_shared<const AxisTaps>(std::move(made));
  axis_step(b, view, src, dst, [taps, n = view.inner](const float* x, float* y, std::size_t i) {
    std::fill(y, y + n, taps->constant.empty() ? 0.f : taps->constant[i]);
    for (auto k = taps->begin[i]; k < taps->begin[i + 1]; ++k) {
      const auto weight = taps->weight[k];
      const float* from = x + taps->index[k] * n;
      for (std::int64_t j = 0; j < n; ++j) y[j] += weight * from[j];
    }
  });
}

void forward_step(Builder& b, const Resize& op, AxisPass pass, const Operand& src,
                  const Operand& dst) {
  auto found = pairs_of(op, pass.taps);
  if (!found) {
    taps_step(b, pass.view, std::move(pass.taps), src, dst);
    return;
  }
  auto pairs = std::make_shared<const Pairs>(std::move(*found));
  axis_step(b, pass.view, src, dst,
            [pairs, n = pass.view.inner](const float* x, float* y, std::size_t i) {
              const float* low = x + pairs->low[i] * n;
              const float* high = x + pairs->high[i] * n;
              for (std::int64_t j = 0; j < n; ++j)
                y[j] = low[j] + (high[j] - low[j]) * pairs->weight[i];
            });
}

}  // namespace

void forward(const Resize& op, ForwardContext& c) {
  Operand current = c.plain_in(0);
  if (op.mode == ResizeMode::nearest) {
    const Operand dst = c.make_plain_out();
    index_forward(c.b, nearest_map(op, c.in_shape(0)), current, dst, op.extrapolation);
    c.out(0, dst);
    return;
  }
  for (auto& pass : passes_of(op, c.in_shape(0))) {
    const Operand dst = c.b.make(pass.view.to());
    forward_step(c.b, op, std::move(pass), current, dst);
    current = dst;
  }
  current.desc = plain_desc(c.out_shape());
  c.out(0, current);
}

void backward(const Resize& op, BackwardContext& c) {
  if (op.mode == ResizeMode::nearest) {
    const Operand dx = c.make_plain_grad(0);
    index_backward(c.b, nearest_map(op, c.in_shape(0)), c.plain_grad(), dx);
    c.send(0, dx);
    return;
  }
  Operand current = c.plain_grad();
  auto all = passes_of(op, c.in_shape(0));
  for (auto pass = all.rbegin(); pass != all.rend(); ++pass) {
    const Operand dx = c.b.make(pass->view.from());
    taps_step(c.b, pass->view.turned(), transposed(pass->taps), current, dx);
    current = dx;
  }
  current.desc = plain_desc(c.in_shape(0));
  c.send(0, current);
}

}  // namespace fovea::engine
