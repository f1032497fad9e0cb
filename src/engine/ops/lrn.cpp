#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::Lrn;

/// y = x / (bias + alpha / size * sum of squares over neighbouring channels)^beta.
struct LrnShape {
  std::int64_t images, channels, positions, before, after;
  float alpha, beta, bias;
  LrnShape(const Lrn& op, const Shape& shape)
      : images(shape[0]),
        channels(shape[1]),
        positions(1),
        before((op.size - 1) / 2),
        after(op.size - 1 - before),
        alpha(op.alpha / static_cast<float>(op.size)),
        beta(op.beta),
        bias(op.bias) {
    for (std::size_t i = 2; i < shape.size(); ++i) positions *= shape[i];
  }
  float divisor(const float* image, std::int64_t c, std::int64_t p) const {
    float sum = 0;
    for (auto k = std::max<std::int64_t>(0, c - before); k <= std::min(channels - 1, c + after);
         ++k)
      sum += image[k * positions + p] * image[k * positions + p];
    return bias + alpha * sum;
  }
  template <class Visit>  // visit(offset of the image, channel)
  void each(Visit&& visit) const {
    base::parallel_for(images * channels, 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i) visit(i / channels * channels * positions, i % channels);
    });
  }
};

}  // namespace

void forward(const Lrn& op, ForwardContext& c) {
  const LrnShape s(op, c.in_shape(0));
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [s](Pointers p) {
        s.each([&](std::int64_t at, std::int64_t k) {
          const float* x = floats(p, 0) + at;
          float* y = floats(p, 1) + at;
          for (std::int64_t i = 0; i < s.positions; ++i)
            y[k * s.positions + i] = x[k * s.positions + i] * std::pow(s.divisor(x, k, i), -s.beta);
        });
      },
      {c.plain_in(0)}, {dst});
  c.out(0, dst);
}

namespace {

/// (d^-beta - e^-beta) / (d - e).
double power_quotient(double d, double e, double beta) {
  const double step = d - e;
  if (std::abs(step) < 1e-5 * d) return -beta * std::pow((d + e) / 2, -beta - 1);
  return (std::pow(d, -beta) - std::pow(e, -beta)) / step;
}

/// y = x D^-beta with D = bias + alpha sum x^2: the product rule, the quotient of the power over D,
/// and that of x^2 over x, which is x + r.
void rescaled(const Lrn& op, BackwardContext& c) {
  const LrnShape s(op, c.in_shape(0));
  const Operand dx = c.make_plain_grad(0), src = c.plain_in(0);
  const Operand passed = c.make_plain_grad(0), own = c.make_plain_grad(0);
  c.b.kernel(
      [s](Pointers p) {
        s.each([&](std::int64_t at, std::int64_t k) {
          const float *dy = floats(p, 0) + at, *x = floats(p, 1) + at, *r = floats(p, 2) + at;
          for (std::int64_t i = 0; i < s.positions; ++i) {
            const auto here = k * s.positions + i;
            const double d = s.divisor(x, k, i), e = s.divisor(r, k, i), beta = s.beta;
            floats(p, 4)[at + here] = static_cast<float>(dy[here] * (double{x[here]} + r[here]) /
                                                         2 * power_quotient(d, e, beta) * s.alpha);
            floats(p, 5)[at + here] =
                static_cast<float>(dy[here] * (std::pow(d, -beta) + std::pow(e, -beta)) / 2);
          }
        });
        s.each([&](std::int64_t at, std::int64_t k) {
          const float *x = floats(p, 1) + at, *r = floats(p, 2) + at;
          for (std::int64_t i = 0; i < s.positions; ++i) {
            const auto here = k * s.positions + i;
            float sum = 0;  // over the channels whose window holds k
            for (auto j = std::max<std::int64_t>(0, k - s.after);
                 j <= std::min(s.channels - 1, k + s.before); ++j)
              sum += floats(p, 4)[at + j * s.positions + i];
            floats(p, 3)[at + here] = floats(p, 5)[at + here] + (x[here] + r[here]) * sum;
          }
        });
      },
      {c.plain_grad(), src, c.b.reference_in(c.in(0), src.desc)}, {dx, passed, own});
  c.send(0, dx);
}

}  // namespace

void backward(const Lrn& op, BackwardContext& c) {
  if (c.b.rule() == GradientRule::rescale) return rescaled(op, c);
  const LrnShape s(op, c.in_shape(0));
  const Operand dx = c.make_plain_grad(0);
  const Operand divisors = c.make_plain_grad(0);
  c.b.kernel(
      [s](Pointers p) {
        s.each([&](std::int64_t at, std::int64_t k) {
          for (std::int64_t i = 0; i < s.positions; ++i)
            floats(p, 3)[at + k * s.positions + i] = s.divisor(floats(p, 0) + at, k, i);
        });
        s.each([&](std::int64_t at, std::int64_t k) {
          const float* x = floats(p, 0) + at;
          const float* dy = floats(p, 1) + at;
          const float* d = floats(p, 3) + at;
          for (std::int64_t i = 0; i < s.positions; ++i) {
            const auto own = k * s.positions + i;
            float sum = 0;  // over the channels whose window holds k
            for (auto j = std::max<std::int64_t>(0, k - s.after);
                 j <= std::min(s.channels - 1, k + s.before); ++j) {
              const auto other = j * s.positions + i;
              sum += dy[other] * x[other] * std::pow(d[other], -s.beta - 1);
            }
            floats(p, 2)[at + own] =
                dy[own] * std::pow(d[own], -s.beta) - 2 * s.alpha * s.beta * x[own] * sum;
          }
        });
      },
      {c.plain_in(0), c.plain_grad()}, {dx, divisors});
  c.send(0, dx);
}

}  // namespace fovea::engine
