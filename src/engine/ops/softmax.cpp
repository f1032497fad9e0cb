#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::Softmax;

/// [outer, extent, inner]: softmax along the middle.
struct Rows {
  std::int64_t outer = 1, extent = 1, inner = 1;
  template <class Operator>
  Rows(const Operator& op, const Shape& shape) {
    const auto axis = static_cast<std::size_t>(op.axis);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (i < axis) outer *= shape[i];
      if (i == axis) extent *= shape[i];
      if (i > axis) (op.flatten ? extent : inner) *= shape[i];
    }
  }
  template <class Visit>  // visit(offset of the row's first element)
  void each(Visit&& visit) const {
    base::parallel_for(outer * inner,
                       std::max<std::int64_t>(1, 1024 / std::max<std::int64_t>(1, extent)),
                       [&](std::int64_t begin, std::int64_t end) {
                         for (auto r = begin; r < end; ++r)
                           visit(r / inner * extent * inner + r % inner);
                       });
  }
};

}  // namespace

void forward(const graph::Hardmax& op, ForwardContext& c) {
  const Rows rows(op, c.in_shape(0));
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [rows](Pointers p) {
        const float* src = floats(p, 0);
        float* out = floats(p, 1);
        rows.each([&, src, out](std::int64_t at) {
          std::int64_t best = 0;
          for (std::int64_t i = 0; i < rows.extent; ++i) {
            out[at + i * rows.inner] = 0;
            if (src[at + i * rows.inner] > src[at + best * rows.inner]) best = i;
          }
          out[at + best * rows.inner] = 1;
        });
      },
      {c.plain_in(0)}, {dst});
  c.out(0, dst);
}

/// Flat almost everywhere.
void backward(const graph::Hardmax&, BackwardContext& c) {
  if (c.b.rule() == GradientRule::rescale)
    c.fail(ErrorCode::unsupported, "DeepLIFT has no rule for it");
  const Operand dx = c.make_plain_grad(0);
  c.b.kernel([n = stored_elements(dx.desc)](
                 Pointers p) { std::fill(floats(p, 0), floats(p, 0) + n, 0.f); },
             {}, {dx});
  c.send(0, dx);
}

void forward(const Softmax& op, ForwardContext& c) {
  const Rows rows(op, c.in_shape(0));
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [rows, log = op.log](Pointers p) {
        const float* src = floats(p, 0);
        float* out = floats(p, 1);
        rows.each([&, src, out](std::int64_t at) {
          const auto n = rows.extent, s = rows.inner;
          float top = src[at];
          for (std::int64_t i = 1; i < n; ++i) top = std::max(top, src[at + i * s]);
          double sum = 0;
          for (std::int64_t i = 0; i < n; ++i) {
            const float e = std::exp(src[at + i * s] - top);
            sum += e;
            if (!log) out[at + i * s] = e;
          }
          const auto scale = static_cast<float>(1 / sum);
          const auto shift = top + static_cast<float>(std::log(sum));
          for (std::int64_t i = 0; i < n; ++i)
            out[at + i * s] = log ? src[at + i * s] - shift : out[at + i * s] * scale;
        });
      },
      {c.plain_in(0)}, {dst});
  c.out(0, dst);
}

namespace {

/// y = exp(l) with l = x - log S and S = sum exp x: the quotients of each exponential, of the
/// logarithm and of the exponentials under it. Each is bounded however far all x lie from all of
/// the reference's; by e / S shares would cancel that differ by e to the power of that.
void rescaled(const Softmax& op, BackwardContext& c) {
  const Rows rows(op, c.in_shape(0));
  const Operand dx = c.make_plain_grad(0), src = c.plain_in(0);
  c.b.kernel(
      [rows, log = op.log](Pointers p) {
        const float *dy = floats(p, 0), *x = floats(p, 1), *r = floats(p, 2);
        float* out = floats(p, 3);
        rows.each([&, dy, x, r, out](std::int64_t at) {
          const auto n = rows.extent, s = rows.inner;
          double own = x[at], other = r[at];
          for (std::int64_t i = 1; i < n; ++i) {
            own = std::max(own, double{x[at + i * s]});
            other = std::max(other, double{r[at + i * s]});
          }
          double sum = 0, sum_r = 0, total = 0;  // over the largest of each run
          for (std::int64_t i = 0; i < n; ++i) {
            sum += std::exp(x[at + i * s] - own);
            sum_r += std::exp(r[at + i * s] - other);
          }
          const double shift = own + std::log(sum), shift_r = other + std::log(sum_r);
          const double top = std::max(own, other);
          sum *= std::exp(own - top);
          sum_r *= std::exp(other - top);
          const double step = sum - sum_r;
          const double log_share = std::abs(step) < 1e-7 * std::max(sum, sum_r)
                                       ? 2 / (sum + sum_r)
                                       : (shift - shift_r) / step;
          for (std::int64_t i = 0; i < n; ++i) {
            const auto k = at + i * s;
            out[k] = log ? dy[k]
                         : static_cast<float>(dy[k] * exp_quotient(x[k] - shift, r[k] - shift_r));
            total += out[k];
          }
          for (std::int64_t i = 0; i < n; ++i) {
            const auto k = at + i * s;
            const double share = log_share * exp_quotient(x[k] - top, r[k] - top);
            out[k] = static_cast<float>(out[k] - total * share);
          }
        });
      },
      {c.plain_grad(), src, c.b.reference_in(c.in(0), src.desc)}, {dx});
  c.send(0, dx);
}

}  // namespace

void backward(const Softmax& op, BackwardContext& c) {
  if (c.b.rule() == GradientRule::rescale) return rescaled(op, c);
  const Rows rows(op, c.in_shape(0));
  const Operand dx = c.make_plain_grad(0);
  c.b.kernel(
      [rows, log = op.log](Pointers p) {
        const float* dy = floats(p, 0);
        const float* y = floats(p, 1);
        float* out = floats(p, 2);
        rows.each([&, dy, y, out](std::int64_t at) {
          const auto n = rows.extent, s = rows.inner;
          double sum = 0;
          for (std::int64_t i = 0; i < n; ++i)
            sum += log ? dy[at + i * s] : dy[at + i * s] * y[at + i * s];
          const auto total = static_cast<float>(sum);
          for (std::int64_t i = 0; i < n; ++i) {
            const auto k = at + i * s;
            out[k] = log ? dy[k] - std::exp(y[k]) * total : y[k] * (dy[k] - total);
          }
        });
      },
      {c.plain_grad(), c.b.plain(c.dst())}, {dx});
  c.send(0, dx);
}

}  // namespace fovea::engine
