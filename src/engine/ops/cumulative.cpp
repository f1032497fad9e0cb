#include <algorithm>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::CumSum;

/// Sums along one axis: `lines` of `extent` elements that lie `stride` apart.
struct Lines {
  std::int64_t lines = 1, extent = 1, stride = 1;
  bool exclusive = false, reverse = false;

  Lines(const CumSum& op, const Shape& shape) : exclusive(op.exclusive), reverse(op.reverse) {
    const auto axis = static_cast<std::size_t>(*op.axis);
    extent = shape[axis];
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (d != axis) lines *= shape[d];
      if (d > axis) stride *= shape[d];
    }
  }

  void sum(const float* x, float* y, std::int64_t line) const {
    const auto first = line / stride * extent * stride + line % stride;
    double total = 0;
    for (std::int64_t k = 0; k < extent; ++k) {
      const auto at = first + (reverse ? extent - 1 - k : k) * stride;
      if (exclusive) y[at] = static_cast<float>(total);
      total += x[at];
      if (!exclusive) y[at] = static_cast<float>(total);
    }
  }
};

void sum_step(Builder& b, const Lines& lines, const Operand& x, const Operand& y) {
  b.kernel(
      [lines](Pointers p) {
        const auto grain = kElementGrain / std::max<std::int64_t>(1, lines.extent);
        base::parallel_for(lines.lines, std::max<std::int64_t>(1, grain),
                           [&](std::int64_t begin, std::int64_t end) {
                             for (auto line = begin; line < end; ++line)
                               lines.sum(floats(p, 0), floats(p, 1), line);
                           });
      },
      {x}, {y});
}

}  // namespace

void forward(const CumSum& op, ForwardContext& c) {
  const Operand dst = c.make_plain_out();
  sum_step(c.b, Lines(op, c.in_shape(0)), c.plain_in(0), dst);
  c.out(0, dst);
}

/// An element is part of the sums from its own on: the same sums from the other end.
void backward(const CumSum& op, BackwardContext& c) {
  Lines lines(op, c.in_shape(0));
  lines.reverse = !lines.reverse;
  const Operand dx = c.make_plain_grad(0);
  sum_step(c.b, lines, c.plain_grad(), dx);
  c.send(0, dx);
}

}  // namespace fovea::engine
