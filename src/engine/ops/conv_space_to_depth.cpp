#include "engine/ops/conv_space_to_depth.hpp"

#include <algorithm>
#include <array>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return (a >= 0 ? a : a - b + 1) / b;
}

/// One spatial axis: tap k looks at block floor((k - pad) / stride), counted from the output.
struct Axis {
  std::int64_t extent, out, kernel, stride, pad;
  std::int64_t first() const { return floor_div(-pad, stride); }
  std::int64_t last() const { return floor_div(kernel - 1 - pad, stride); }
  std::int64_t blocks() const { return (extent + stride - 1) / stride; }
  std::int64_t taps() const { return last() - first() + 1; }
};

std::vector<Axis> axes_of(const ConvProblem& p) {
  std::vector<Axis> out;
  for (std::size_t i = 0; i < p.window.strides.size(); ++i)
    out.push_back(
        {p.src[i + 2], p.dst[i + 2], p.weights[i + 2], p.window.strides[i], p.window.pad_begin[i]});
  return out;
}

std::int64_t block_size(const std::vector<Axis>& axes) {
  std::int64_t n = 1;
  for (const auto& axis : axes) n *= axis.stride;
  return n;
}

}  // namespace

std::optional<ConvProblem> without_strides(const ConvProblem& p) {
  const auto is = [](const Dims& dims, std::int64_t value) {
    return std::all_of(dims.begin(), dims.end(), [=](auto d) { return d == value; });
  };
  if (has_groups(p) || p.src[1] >= home_block() || is(p.window.strides, 1) ||
      !is(p.window.dilates, 0))
    return std::nullopt;
  const auto axes = axes_of(p);
  ConvProblem out = p;
  out.src[1] = out.weights[1] = p.src[1] * block_size(axes);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto& axis = axes[i];
    out.src[i + 2] = axis.blocks();
    out.weights[i + 2] = axis.taps();
    out.window.strides[i] = 1;
    out.window.pad_begin[i] = -axis.first();
    out.window.pad_end[i] = axis.out - axis.blocks() + axis.last();
  }
  return out;
}

std::vector<float> weights_without_strides(const ConvProblem& p, std::span<const float> weights) {
  const auto axes = axes_of(p);
  std::int64_t kernel = 1, taps = 1;
  for (const auto& axis : axes) {
    kernel *= axis.kernel;
    taps *= axis.taps();
  }
  const auto channels = p.src[1], each = block_size(axes);
  std::vector<float> out(static_cast<std::size_t>(p.weights[0] * channels * each * taps), 0.f);
  for (std::size_t at = 0; at < weights.size(); ++at) {
    const auto map = static_cast<std::int64_t>(at) / kernel;  // output and channel
    std::int64_t k = static_cast<std::int64_t>(at) % kernel, tap = 0, in_block = 0, tap_step = 1,
                 in_block_step = 1;
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
      const auto place = k % axis->kernel - axis->pad;
      const auto block = floor_div(place, axis->stride);
      tap += (block - axis->first()) * tap_step;
      in_block += (place - block * axis->stride) * in_block_step;
      tap_step *= axis->taps();
      in_block_step *= axis->stride;
      k /= axis->kernel;
    }
    out[static_cast<std::size_t>((map * each + in_block) * taps + tap)] = weights[at];
  }
  return out;
}

Operand depth_to_space(Builder& b, const ConvProblem& p, const Operand& in_blocks) {
  Operand from = map_view(in_blocks.desc) ? in_blocks : b.plain(in_blocks);
  const Operand out = b.make(plain_desc(p.src));
  auto axes = axes_of(p);
  axes.insert(axes.begin(), 3 - axes.size(), Axis{1, 1, 1, 1, 0});
  const std::array<Axis, 3> a{axes[0], axes[1], axes[2]};
  const std::int64_t channels = p.src[1];
  b.kernel(
      [a, v = *map_view(from.desc), channels](Pointers pointers) {
        const auto rows = a[0].extent * a[1].extent, block = v.layout.block;
        const auto each = a[0].stride * a[1].stride * a[2].stride;
        base::parallel_for(
            v.images * channels * rows,
            std::max<std::int64_t>(1, kElementGrain / 4 / std::max<std::int64_t>(1, a[2].extent)),
            [&](std::int64_t begin, std::int64_t end) {
              for (auto row = begin; row < end; ++row) {
                const auto z = row % rows / a[1].extent, y = row % a[1].extent;
                const auto c = row / rows % channels, n = row / rows / channels;
                const auto first = z / a[0].stride * a[1].blocks() + y / a[1].stride;
                const float* image = floats(pointers, 0) + n * v.image_stride;
                float* dst = floats(pointers, 1) + row * a[2].extent;
                for (std::int64_t in_block = 0; in_block < a[2].stride; ++in_block) {
                  const auto channel =
                      c * each + ((z % a[0].stride) * a[1].stride + y % a[1].stride) * a[2].stride +
                      in_block;
                  const float* src =
                      image +
                      (channel / block * v.layout.positions + first * a[2].blocks()) * block +
                      channel % block;
                  for (auto x = in_block; x < a[2].extent; x += a[2].stride, src += block)
                    dst[x] = *src;
                }
              }
            });
      },
      {from}, {out});
  return out;
}

}  // namespace fovea::engine
