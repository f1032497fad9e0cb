#include "base/parallel.hpp"
#include "engine/ops/broadcast.hpp"

/// Piecewise choices: PRelu and Where.
namespace fovea::engine {
namespace {

using graph::PRelu;
using graph::Where;

/// out = f(operands), element by element under broadcasting, row-major.
template <std::size_t N, class F>
Operand map_broadcast(Builder& b, const Shape& out_shape, const std::array<Shape, N>& shapes,
                      const std::array<Operand, N>& operands, F f) {
  const BroadcastLoop<N> loop(out_shape, shapes);
  const Operand dst = b.make(plain_desc(out_shape));
  b.kernel(
      [loop, f](Pointers p) {
        float* out = floats(p, N);
        base::parallel_for(loop.rows, loop.grain(), [&, out](std::int64_t begin, std::int64_t end) {
          for (auto row = begin; row < end; ++row) {
            const auto at = loop.offsets(row);
            for (std::int64_t i = 0; i < loop.width; ++i) {
              std::array<float, N> x;
              for (std::size_t k = 0; k < N; ++k) x[k] = floats(p, k)[at[k] + i * loop.step(k)];
              out[row * loop.width + i] = f(x);
            }
          }
        });
      },
      {operands.begin(), operands.end()}, {dst});
  return dst;
}

}  // namespace

void forward(const PRelu&, ForwardContext& c) {
  c.out(0, map_broadcast<2>(
               c.b, c.out_shape(), {c.in_shape(0), c.in_shape(1)}, {c.plain_in(0), c.plain_in(1)},
               [](const std::array<float, 2>& x) { return x[0] < 0 ? x[1] * x[0] : x[0]; }));
}

void backward(const PRelu&, BackwardContext& c) {
  if (c.b.rule() == GradientRule::rescale) {
    const PairFunction f = [](double x, double slope) { return x < 0 ? slope * x : x; };
    const PairSlope slopes[] = {[](float x, float slope) { return x < 0 ? slope : 1.f; },
                                [](float x, float) { return x < 0 ? x : 0.f; }};
    for (std::size_t i = 0; i < 2; ++i)
      if (c.wants(i))
        c.send(i,
               reduce_to(c.b, rescaled_pair(c, f, slopes[i], i, 0), c.out_shape(), c.in_shape(i)));
    return;
  }
  const std::array<Shape, 3> shapes = {c.out_shape(), c.in_shape(0), c.in_shape(1)};
  const std::array<Operand, 3> operands = {c.plain_grad(), c.plain_in(0), c.plain_in(1)};
  if (c.wants(0))
    c.send(0, map_broadcast<3>(
                  c.b, c.out_shape(), shapes, operands,
                  [](const std::array<float, 3>& x) { return x[1] < 0 ? x[0] * x[2] : x[0]; }));
  if (c.wants(1))
    c.send(1, reduce_to(c.b,
                        map_broadcast<3>(c.b, c.out_shape(), shapes, operands,
                                         [](const std::array<float, 3>& x) {
                                           return x[1] < 0 ? x[0] * x[1] : 0.f;
                                         }),
                        c.out_shape(), c.in_shape(1)));
}

void forward(const Where&, ForwardContext& c) {
  c.out(0, map_broadcast<3>(c.b, c.out_shape(), {c.in_shape(0), c.in_shape(1), c.in_shape(2)},
                            {c.plain_in(0), c.plain_in(1), c.plain_in(2)},
                            [](const std::array<float, 3>& x) { return x[0] != 0 ? x[1] : x[2]; }));
}

void backward(const Where&, BackwardContext& c) {
  for (std::size_t i = 1; i <= 2; ++i) {
    if (!c.wants(i)) continue;
    const bool first = i == 1;
    c.send(i, reduce_to(c.b,
                        map_broadcast<2>(c.b, c.out_shape(), {c.in_shape(0), c.out_shape()},
                                         {c.plain_in(0), c.plain_grad()},
                                         [first](const std::array<float, 2>& x) {
                                           return (x[0] != 0) == first ? x[1] : 0.f;
                                         }),
                        c.out_shape(), c.in_shape(i)));
  }
}

}  // namespace fovea::engine
