#include <array>
#include <cmath>
#include <memory>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"
#include "engine/ops/post_ops.hpp"

namespace fovea::engine {
namespace {

using graph::BatchNorm;

bool has_constants(const ForwardContext& c) {
  for (std::size_t i = 1; i < c.inputs(); ++i)
    if (!c.is_constant(i)) return false;
  return true;
}

/// BatchNorm at inference: one scale and shift per channel.
struct Affine {
  std::shared_ptr<std::vector<float>> scale, shift;
  Affine(const BatchNorm& op, const ForwardContext& c) {
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

/// A row-major [n, channels, positions...].
struct PlainChannels {
  std::int64_t images, channels, positions = 1;
  explicit PlainChannels(const Shape& shape) : images(shape[0]), channels(shape[1]) {
    for (std::size_t i = 2; i < shape.size(); ++i) positions *= shape[i];
  }
};

struct ChannelMoments {
  double mean, variance;
};

ChannelMoments moments_of(const float* x, const PlainChannels& layout, std::int64_t k) {
  const auto each = [&](auto visit) {
    for (std::int64_t n = 0; n < layout.images; ++n) {
      const float* row = x + (n * layout.channels + k) * layout.positions;
      for (std::int64_t i = 0; i < layout.positions; ++i) visit(row[i]);
    }
  };
  const auto count = static_cast<double>(layout.images * layout.positions);
  double sum = 0, squares = 0;
  each([&](float v) { sum += v; });
  const double mean = sum / count;
  each([&](float v) { squares += (v - mean) * (v - mean); });
  return {mean, squares / count};
}

/// By parameters that are computed: of weights, where constants are folded, or of the image.
void computed_norm(const BatchNorm& op, ForwardContext& c) {
  const auto& shape = c.in_shape(0);
  std::vector<Operand> reads;
  for (std::size_t i = 0; i < c.inputs(); ++i) reads.push_back(c.plain_in(i));
  const PlainChannels layout(shape);
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [layout, training = op.training, epsilon = op.epsilon, relu = !op.post.empty()](Pointers p) {
        const float* x = floats(p, 0);
        float* y = floats(p, p.size() - 1);
        base::parallel_for(layout.channels, 1, [&, x, y](std::int64_t begin, std::int64_t end) {
          for (auto k = begin; k < end; ++k) {
            const auto m = training ? moments_of(x, layout, k)
                                    : ChannelMoments{floats(p, 3)[k], floats(p, 4)[k]};
            const double factor = floats(p, 1)[k] / std::sqrt(m.variance + epsilon);
            const double shift = floats(p, 2)[k] - m.mean * factor;
            for (std::int64_t n = 0; n < layout.images; ++n) {
              const auto at = (n * layout.channels + k) * layout.positions;
              for (auto i = at; i < at + layout.positions; ++i) {
                const double v = x[i] * factor + shift;
                y[i] = relu && v < 0 ? 0.f : static_cast<float>(v);
              }
            }
          }
        });
      },
      reads, {dst});
  c.out(0, dst);
}

/// With d = x - mean and s = (variance + epsilon)^-1/2, y = d s scale + bias: each parameter's
/// gradient is one of two sums over a channel, of dy and of dy d, times what is the same in all of
/// it.
void computed_gradients(const BatchNorm& op, BackwardContext& c, const Operand& diff) {
  enum Input : std::size_t { kX, kScale, kBias, kMean, kVariance, kCount };
  unsigned wanted = 0;
  for (std::size_t i = 0; i < kCount; ++i)
    if (c.wants(i)) wanted |= 1u << i;
  const unsigned used = backward_reads(op, wanted).inputs;
  std::vector<Operand> reads{c.b.plain(diff)}, writes;
  std::array<std::size_t, kCount> read{}, written{};  // places among the pointers; 0: none
  for (std::size_t i = 0; i < kCount; ++i)
    if ((used >> i & 1u) != 0) {
      read[i] = reads.size();
      reads.push_back(c.plain_in(i));
    }
  for (std::size_t i = 0; i < kCount; ++i)
    if (c.wants(i)) {
      written[i] = reads.size() + writes.size();
      writes.push_back(c.make_plain_grad(i));
    }
  c.b.kernel(
      [layout = PlainChannels(c.in_shape(0)), epsilon = op.epsilon, read, written](Pointers p) {
        const auto channel = [&](std::int64_t k) {
          const auto at = [&](Input i) {
            return read[i] == 0 ? 0. : double{floats(p, read[i])[k]};
          };
          const auto put = [&](Input i, double v) {
            if (written[i] != 0) floats(p, written[i])[k] = static_cast<float>(v);
          };
          const double scale = at(kScale), mean = at(kMean);
          const double s = read[kVariance] == 0 ? 0 : 1 / std::sqrt(at(kVariance) + epsilon);
          double sum = 0, with_d = 0;
          for (std::int64_t n = 0; n < layout.images; ++n) {
            const auto row = (n * layout.channels + k) * layout.positions;
            for (auto i = row; i < row + layout.positions; ++i) {
              const double dy = floats(p, 0)[i];
              sum += dy;
              if (read[kX] != 0) with_d += dy * (floats(p, read[kX])[i] - mean);
              if (written[kX] != 0) floats(p, written[kX])[i] = static_cast<float>(dy * s * scale);
            }
          }
          put(kScale, with_d * s);
          put(kBias, sum);
          put(kMean, -sum * s * scale);
          put(kVariance, -with_d * scale * s * s * s / 2);
        };
        base::parallel_for(layout.channels, 1, [&](std::int64_t begin, std::int64_t end) {
          for (auto k = begin; k < end; ++k) channel(k);
        });
      },
      reads, writes);
  for (std::size_t i = 0, next = 0; i < kCount; ++i)
    if (c.wants(i)) c.send(i, writes[next++]);
}

}  // namespace

void forward(const BatchNorm& op, ForwardContext& c) {
  if (op.training || !has_constants(c)) {
    computed_norm(op, c);
    return;
  }
  const Operand src = in_known_layout(c.b, c.f32_in(0));
  c.out(0, affine_step(c.b, src, c.in_shape(0), Affine(op, c), true, !op.post.empty(),
                       c.make_like(src)));
}

void backward(const BatchNorm& op, BackwardContext& c) {
  const Operand through = backward_through(c, op.post);
  if (!has_constants(c)) return computed_gradients(op, c, through);
  const Operand diff = in_known_layout(c.b, through);
  c.send(0,
         affine_step(c.b, diff, c.in_shape(0), Affine(op, c), false, false, c.b.make(diff.desc)));
}

}  // namespace fovea::engine
