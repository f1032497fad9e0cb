#include <cmath>
#include <memory>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"
#include "engine/ops/post_ops.hpp"

namespace fovea::engine {
namespace {

using graph::BatchNorm;
using graph::GroupNorm;
using graph::InstanceNorm;
using graph::LayerNorm;

bool has_constants(const ForwardContext& c) {
  for (std::size_t i = 1; i < c.inputs(); ++i)
    if (!c.is_constant(i)) return false;
  return true;
}

/// BatchNorm at inference: one scale and shift per channel.
struct Affine {
  std::shared_ptr<std::vector<float>> scale, shift;
  Affine(const BatchNorm& op, const ForwardContext& c) {
    if (!has_constants(c))
      c.fail(ErrorCode::unsupported, "the statistics of BatchNormalization must be constant");
    const auto gamma = c.constant(1), beta = c.constant(2), mean = c.constant(3),
               variance = c.constant(4);
    scale = std::make_shared<std::vector<float>>(gamma.size());
    shift = std::make_shared<std::vector<float>>(gamma.size());
    for (std::size_t k = 0; k < gamma.size(); ++k) {
      const double factor = gamma[k] / std::sqrt(static_cast<double>(variance[k]) + op.epsilon);
      (*scale)[k] = static_cast<float>(factor);
      (*shift)[k] = static_cast<float>(beta[k] - mean[k] * factor);
    }
  }
};

/// x * scale[c] (+ shift[c]) (, ReLU) on x's own layout.
Operand affine_step(Builder& b, const Operand& input, const Shape& shape, const Affine& affine,
                    bool with_shift, bool relu, const Operand& into) {
  MapView view;
  if (const auto found = map_view(input.desc)) {
    view = *found;
  } else {  // [n, c], or a rank that oneDNN has no blocked layouts for
    view.images = shape[0];
    view.layout = {shape[1], 1, 1};
    for (std::size_t i = 2; i < shape.size(); ++i) view.layout.positions *= shape[i];
    view.image_stride = view.layout.channels * view.layout.positions;
  }
  b.kernel(
      [view, scale = affine.scale, shift = with_shift ? affine.shift : nullptr, relu](Pointers p) {
        over_channels(view, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
          const auto at = n * view.image_stride;
          simd::kernels().channel_affine(floats(p, 0) + at, view.layout, scale->data(),
                                         shift ? shift->data() : nullptr, relu, begin, end,
                                         floats(p, 1) + at);
        });
      },
      {input}, {into});
  return into;
}

Operand in_known_layout(Builder& b, const Operand& tensor) {
  return map_view(tensor.desc) ? tensor : b.plain(tensor);
}

struct PlainChannels {
  std::int64_t channels = 1, positions = 1;
};

struct ChannelMoments {
  double mean, variance;
};

/// Of channel `k` of [n, c, positions].
ChannelMoments moments_of(const float* x, const PlainChannels& layout, std::int64_t images,
                          std::int64_t k) {
  const auto each = [&](auto visit) {
    for (std::int64_t n = 0; n < images; ++n) {
      const float* row = x + (n * layout.channels + k) * layout.positions;
      for (std::int64_t i = 0; i < layout.positions; ++i) visit(row[i]);
    }
  };
  const auto count = static_cast<double>(images * layout.positions);
  double sum = 0, squares = 0;
  each([&](float v) { sum += v; });
  const double mean = sum / count;
  each([&](float v) { squares += (v - mean) * (v - mean); });
  return {mean, squares / count};
}

/// By statistics that are computed: of weights, where constants are folded. Those that depend on a
/// picture have a gradient, which is not here.
void computed_norm(const BatchNorm& op, ForwardContext& c) {
  const auto& shape = c.in_shape(0);
  std::vector<Operand> reads;
  for (std::size_t i = 0; i < c.inputs(); ++i) reads.push_back(c.plain_in(i));
  PlainChannels layout{shape[1], 1};
  for (std::size_t i = 2; i < shape.size(); ++i) layout.positions *= shape[i];
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [layout, images = shape[0], training = op.training, epsilon = op.epsilon](Pointers p) {
        const float* x = floats(p, 0);
        float* y = floats(p, p.size() - 1);
        base::parallel_for(layout.channels, 1, [&, x, y](std::int64_t begin, std::int64_t end) {
          for (auto k = begin; k < end; ++k) {
            const auto m = training ? moments_of(x, layout, images, k)
                                    : ChannelMoments{floats(p, 3)[k], floats(p, 4)[k]};
            const double factor = floats(p, 1)[k] / std::sqrt(m.variance + epsilon);
            const double shift = floats(p, 2)[k] - m.mean * factor;
            for (std::int64_t n = 0; n < images; ++n) {
              const auto at = (n * layout.channels + k) * layout.positions;
              for (auto i = at; i < at + layout.positions; ++i)
                y[i] = static_cast<float>(x[i] * factor + shift);
            }
          }
        });
      },
      reads, {dst});
  c.out(0, dst);
}

}  // namespace

void forward(const BatchNorm& op, ForwardContext& c) {
  const bool of_constants = c.b.graph().inputs.empty();
  if (op.training || (of_constants && !has_constants(c))) {
    computed_norm(op, c);
    return;
  }
  const Operand src = in_known_layout(c.b, c.f32_in(0));
  c.out(0, affine_step(c.b, src, c.in_shape(0), Affine(op, c), true, !op.post.empty(),
                       c.make_like(src)));
}

void backward(const BatchNorm& op, BackwardContext& c) {
  const Operand diff = in_known_layout(c.b, backward_through(c, op.post));
  c.send(0,
         affine_step(c.b, diff, c.in_shape(0), Affine(op, c), false, false, c.b.make(diff.desc)));
}

namespace {

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
