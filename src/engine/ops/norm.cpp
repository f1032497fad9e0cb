#include <cmath>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::GroupNorm;
using graph::InstanceNorm;
using graph::LayerNorm;

/// Rows of `n` values normalised on their own; element i of row r is scaled by parameter
/// (r % period) * per_row + i / span.
struct RowNorm {
  std::int64_t rows = 1, n = 1, period = 1, per_row = 0, span = 1;
  float epsilon = 0;
  std::int64_t parameter(std::int64_t row, std::int64_t i) const {
    return row % period * per_row + i / span;
  }
};

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t n = 1;
  for (std::size_t i = begin; i < end; ++i) n *= shape[i];
  return n;
}

RowNorm rows_of(const LayerNorm& op, const Shape& shape, const Shape&) {
  const auto axis = static_cast<std::size_t>(
      op.axis < 0 ? op.axis + static_cast<std::int64_t>(shape.size()) : op.axis);
  return {product(shape, 0, axis), product(shape, axis, shape.size()), 1, 0, 1, op.epsilon};
}

RowNorm rows_of(const InstanceNorm& op, const Shape& shape, const Shape&) {
  const auto positions = product(shape, 2, shape.size());
  return {shape[0] * shape[1], positions, shape[1], 1, positions, op.epsilon};
}

RowNorm rows_of(const GroupNorm& op, const Shape& shape, const Shape& scale) {
  const auto positions = product(shape, 2, shape.size()), each = shape[1] / op.groups;
  RowNorm out{shape[0] * op.groups, each * positions, op.groups, each, positions, op.epsilon};
  if (scale[0] == op.groups && op.groups != shape[1]) {  // opset 18: a parameter per group
    out.per_row = 1;
    out.span = out.n;
  }
  return out;
}

struct Moments {
  float mean, inverse_deviation;
  /// As [rows, 2].
  void write(float* rows, std::int64_t row) const {
    rows[2 * row] = mean;
    rows[2 * row + 1] = inverse_deviation;
  }
  static Moments read(const float* rows, std::int64_t row) {
    return {rows[2 * row], rows[2 * row + 1]};
  }
};
Moments moments(const float* x, std::int64_t n, float epsilon) {
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += x[i];
  const double mean = sum / static_cast<double>(n);
  for (std::int64_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  return {static_cast<float>(mean),
          static_cast<float>(1 / std::sqrt(squares / static_cast<double>(n) + epsilon))};
}

template <class Op>
void norm_forward(const Op& op, ForwardContext& c) {
  const RowNorm r = rows_of(op, c.in_shape(0), c.in_shape(1));
  const bool has_bias = c.has(2);
  const Operand dst = c.make_plain_out();
  const Operand scale = c.plain_in(1);
  std::vector<Operand> writes{dst};
  if (c.keeps()) writes.push_back(c.keep(plain_desc({r.rows, 2})));
  c.b.kernel(
      [r, has_bias, keeps = c.keeps()](Pointers p) {
        base::parallel_for(r.rows, std::max<std::int64_t>(1, kElementGrain / 8 / (r.n + 1)),
                           [&](std::int64_t begin, std::int64_t end) {
                             for (auto row = begin; row < end; ++row) {
                               const float* x = floats(p, 0) + row * r.n;
                               float* y = floats(p, 3) + row * r.n;
                               const auto m = moments(x, r.n, r.epsilon);
                               if (keeps) m.write(floats(p, 4), row);
                               for (std::int64_t i = 0; i < r.n; ++i) {
                                 const auto k = r.parameter(row, i);
                                 y[i] = (x[i] - m.mean) * m.inverse_deviation * floats(p, 1)[k] +
                                        (has_bias ? floats(p, 2)[k] : 0.f);
                               }
                             }
                           });
      },
      {c.plain_in(0), scale, has_bias ? c.plain_in(2) : scale}, writes);
  c.out(0, dst);
}

/// y = d s scale + bias with d = x - mean(x), s = (mean(d^2) + epsilon)^-1/2: the product rule over
/// d and s, the quotient of s over the variance, and that of d^2 over d, which is d + d'.
void rescaled_row(const RowNorm& r, std::int64_t row, const float* dy, const float* x,
                  const float* ref, const float* scale, float* out) {
  const auto m = moments(x, r.n, r.epsilon), k = moments(ref, r.n, r.epsilon);
  const double s = m.inverse_deviation, t = k.inverse_deviation;
  const auto sum_of_both = [&](std::int64_t i) {
    return double{x[i]} - m.mean + double{ref[i]} - k.mean;
  };
  double through = 0, mean = 0;
  for (std::int64_t i = 0; i < r.n; ++i)
    through += double{dy[i]} * scale[r.parameter(row, i)] * sum_of_both(i) / 2;
  through *= -(s * t) * (s * t) / (s + t) / static_cast<double>(r.n);
  const auto part = [&](std::int64_t i) {
    return double{dy[i]} * scale[r.parameter(row, i)] * (s + t) / 2 + through * sum_of_both(i);
  };
  for (std::int64_t i = 0; i < r.n; ++i) mean += part(i);
  mean /= static_cast<double>(r.n);
  for (std::int64_t i = 0; i < r.n; ++i) out[i] = static_cast<float>(part(i) - mean);
}

/// The gradient of scale or bias: over the elements that each of its numbers is for, the sum of
/// what comes in, times the normalised element for a scale.
void send_parameter(const RowNorm& r, BackwardContext& c, std::size_t input) {
  const Operand out = c.make_plain_grad(input);
  const bool scales = input == 1;
  std::vector<Operand> reads{c.plain_grad()};
  if (scales) {
    reads.push_back(c.plain_in(0));
    reads.push_back(c.kept());
  }
  const auto count = stored_elements(out.desc);
  c.b.kernel(
      [r, scales, count](Pointers p) {
        base::parallel_for(
            count, std::max<std::int64_t>(1, kElementGrain / 8 * count / (r.rows * r.n)),
            [&](std::int64_t begin, std::int64_t end) {
              for (auto k = begin; k < end; ++k) {
                const auto first = r.per_row == 0 ? 0 : k / r.per_row;
                const auto from = (r.per_row == 0 ? k : k % r.per_row) * r.span;
                double sum = 0;
                for (auto row = first; row < r.rows; row += r.period) {
                  const auto m = scales ? Moments::read(floats(p, 2), row) : Moments{};
                  for (auto i = row * r.n + from; i < row * r.n + from + r.span; ++i)
                    sum += double{floats(p, 0)[i]} *
                           (scales ? (double{floats(p, 1)[i]} - m.mean) * m.inverse_deviation : 1.);
                }
                floats(p, p.size() - 1)[k] = static_cast<float>(sum);
              }
            });
      },
      reads, {out});
  c.send(input, out);
}

template <class Op>
void norm_rescaled(const Op& op, BackwardContext& c) {
  const RowNorm r = rows_of(op, c.in_shape(0), c.in_shape(1));
  const Operand dx = c.make_plain_grad(0), x = c.plain_in(0);
  c.b.kernel(
      [r](Pointers p) {
        base::parallel_for(r.rows, std::max<std::int64_t>(1, kElementGrain / 16 / (r.n + 1)),
                           [&](std::int64_t begin, std::int64_t end) {
                             for (auto row = begin; row < end; ++row) {
                               const auto at = row * r.n;
                               rescaled_row(r, row, floats(p, 0) + at, floats(p, 1) + at,
                                            floats(p, 2) + at, floats(p, 3), floats(p, 4) + at);
                             }
                           });
      },
      {c.plain_grad(), x, c.b.reference_in(c.in(0), x.desc), c.plain_in(1)}, {dx});
  c.send(0, dx);
}

/// With x' the normalised x and g = dy * scale: dx = (g - mean(g) - x' mean(g x')) / deviation.
template <class Op>
void norm_backward(const Op& op, BackwardContext& c) {
  if (c.b.rule() == GradientRule::rescale) return norm_rescaled(op, c);
  const RowNorm r = rows_of(op, c.in_shape(0), c.in_shape(1));
  for (const std::size_t parameter : {1u, 2u})
    if (c.wants(parameter)) send_parameter(r, c, parameter);
  if (!c.wants(0)) return;
  const Operand dx = c.make_plain_grad(0);
  c.b.kernel(
      [r](Pointers p) {
        base::parallel_for(
            r.rows, std::max<std::int64_t>(1, kElementGrain / 8 / (r.n + 1)),
            [&](std::int64_t begin, std::int64_t end) {
              for (auto row = begin; row < end; ++row) {
                const float* x = floats(p, 0) + row * r.n;
                const float* dy = floats(p, 2) + row * r.n;
                float* out = floats(p, 4) + row * r.n;
                const auto m = Moments::read(floats(p, 3), row);
                double g_sum = 0, gx_sum = 0;
                for (std::int64_t i = 0; i < r.n; ++i) {
                  const float g = dy[i] * floats(p, 1)[r.parameter(row, i)];
                  g_sum += g;
                  gx_sum += static_cast<double>(g) * (x[i] - m.mean) * m.inverse_deviation;
                }
                const auto g_mean = static_cast<float>(g_sum / static_cast<double>(r.n));
                const auto gx_mean = static_cast<float>(gx_sum / static_cast<double>(r.n));
                for (std::int64_t i = 0; i < r.n; ++i) {
                  const float g = dy[i] * floats(p, 1)[r.parameter(row, i)];
                  const float normed = (x[i] - m.mean) * m.inverse_deviation;
                  out[i] = (g - g_mean - normed * gx_mean) * m.inverse_deviation;
                }
              }
            });
      },
      {c.plain_in(0), c.plain_in(1), c.plain_grad(), c.kept()}, {dx});
  c.send(0, dx);
}

}  // namespace

void forward(const LayerNorm& op, ForwardContext& c) {
  norm_forward(op, c);
}
void forward(const InstanceNorm& op, ForwardContext& c) {
  norm_forward(op, c);
}
void forward(const GroupNorm& op, ForwardContext& c) {
  norm_forward(op, c);
}
void backward(const LayerNorm& op, BackwardContext& c) {
  norm_backward(op, c);
}
void backward(const InstanceNorm& op, BackwardContext& c) {
  norm_backward(op, c);
}
void backward(const GroupNorm& op, BackwardContext& c) {
  norm_backward(op, c);
}
}  // namespace fovea::engine
