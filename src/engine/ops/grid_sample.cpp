#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::GridPadding;
using graph::GridSample;
using graph::ResizeMode;

/// What a place along one axis reads: elements (-1: none) with their weights, and the weights'
/// slopes by the grid's coordinate.
struct AxisReads {
  int count = 0;
  std::array<std::int64_t, 4> index{};
  std::array<float, 4> weight{}, slope{};
};

struct Reflected {
  float place, sign;
};

Reflected reflected(float x, float low, float high) {
  const float range = high - low;
  if (!(range > 0)) return {low, 0};
  const float beyond = x < low ? low - x : x > high ? x - high : 0;
  if (beyond == 0) return {x, 1};
  const auto turns = static_cast<std::int64_t>(beyond / range);
  const float rest = beyond - static_cast<float>(turns) * range;
  const bool from_low = (x < low) == (turns % 2 == 0);
  const float sign = turns % 2 == 0 ? -1.f : 1.f;
  return {from_low ? low + rest : high - rest, sign};
}

/// Of one axis of extent `n`.
class Axis {
 public:
  Axis(const GridSample& op, std::int64_t n)
      : op_(op),
        n_(n),
        extent_(static_cast<float>(n)),
        low_(op.align_corners ? 0.f : -0.5f),
        high_(op.align_corners ? extent_ - 1 : extent_ - 0.5f) {}

  /// At the grid's coordinate `at`. Places are f32, as what lies halfway between two elements is
  /// told from them.
  AxisReads reads(float at) const {
    float x = op_.align_corners ? (at + 1) / 2 * (extent_ - 1) : ((at + 1) * extent_ - 1) / 2;
    float dx = op_.align_corners ? (extent_ - 1) / 2 : extent_ / 2;
    // No element is so far away; what is not a number is nowhere.
    constexpr float kFar = 1e15f;
    if (!(std::abs(x) < kFar)) {
      if (op_.padding == GridPadding::zeros) return {};
      x = op_.padding == GridPadding::border && x > 0 ? kFar : -kFar;
      dx = 0;
    }
    if (op_.mode == ResizeMode::nearest) x = std::nearbyint(x);
    if (x < low_ || x > high_) {
      if (op_.padding == GridPadding::border) {
        x = std::clamp(x, 0.f, extent_ - 1);
        dx = 0;
      } else if (op_.padding == GridPadding::reflection) {
        const auto inside = reflected(x, low_, high_);
        x = inside.place;
        dx *= inside.sign;
      }
    }
    const float down = std::floor(x);
    return weighted(down, x - down, dx);
  }

 private:
  AxisReads weighted(float down, float part, float dx) const {
    AxisReads out;
    const auto add = [&](float offset, float weight, float slope) {
      const auto k = static_cast<std::size_t>(out.count++);
      out.index[k] = bounded(down + offset);
      out.weight[k] = weight;
      out.slope[k] = slope * dx;
    };
    switch (op_.mode) {
      case ResizeMode::nearest:
        add(0, 1, 0);
        break;
      case ResizeMode::linear:
        add(0, 1 - part, -1);
        add(1, part, 1);
        break;
      case ResizeMode::cubic:
        add(-1, far(1 + part), far_slope(1 + part));
        add(0, near(part), near_slope(part));
        add(1, near(1 - part), -near_slope(1 - part));
        add(2, far(2 - part), -far_slope(2 - part));
        break;
    }
    return out;
  }

  std::int64_t bounded(float place) const {
    if (op_.padding == GridPadding::reflection) place = reflected(place, low_, high_).place;
    if (op_.padding == GridPadding::zeros && !(place >= 0 && place <= extent_ - 1)) return -1;
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(place), 0, n_ - 1);
  }

  // The cubic kernel's two pieces, up to distance 1 and from there to 2.
  static constexpr float kA = -0.75f;
  static float near(float d) { return ((kA + 2) * d - (kA + 3)) * d * d + 1; }
  static float near_slope(float d) { return (3 * (kA + 2) * d - 2 * (kA + 3)) * d; }
  static float far(float d) { return ((kA * d - 5 * kA) * d + 8 * kA) * d - 4 * kA; }
  static float far_slope(float d) { return (3 * kA * d - 10 * kA) * d + 8 * kA; }

  GridSample op_;
  std::int64_t n_;
  float extent_, low_, high_;
};

/// Everything a place of the grid reads of a channel.
struct Reads {
  struct One {
    std::int64_t offset;
    std::array<float, 3> by_axis;  // the weight's slope by each coordinate, in the grid's order
    float weight;
  };
  std::array<One, 64> all;
  int count = 0;
};

struct Sampler {
  std::vector<Axis> axes;
  Dims strides;
  std::int64_t images = 1, channels = 1, plane = 1, places = 1;

  Sampler(const GridSample& op, const Shape& x, const Shape& grid) : images(x[0]), channels(x[1]) {
    for (std::size_t d = 2; d < x.size(); ++d) {
      axes.emplace_back(op, x[d]);
      plane *= x[d];
      places *= grid[d - 1];
    }
    std::int64_t stride = 1;
    strides.resize(axes.size());
    for (auto d = axes.size(); d-- > 0; stride *= x[d + 2]) strides[d] = stride;
  }

  std::size_t rank() const { return axes.size(); }

  /// `at`: rank coordinates, the last axis first.
  void read(const float* at, Reads& out) const {
    std::array<AxisReads, 3> own;
    for (std::size_t d = 0; d < rank(); ++d) own[d] = axes[d].reads(at[rank() - 1 - d]);
    out.count = 0;
    add(std::span(own).first(rank()), 0, {1, 1, 1, 1}, out);
  }

 private:
  /// `left`: the axes that are not in yet. `factor`: the products so far of the weights with one
  /// axis' slope each, then of all weights.
  void add(std::span<const AxisReads> left, std::int64_t offset, const std::array<float, 4>& factor,
           Reads& out) const {
    if (left.empty()) {
      out.all[static_cast<std::size_t>(out.count++)] = {
          offset, {factor[0], factor[1], factor[2]}, factor[3]};
      return;
    }
    const auto& own = left.front();
    const auto stride = strides[rank() - left.size()];
    for (std::size_t k = 0; k < static_cast<std::size_t>(own.count); ++k) {
      if (own.index[k] < 0) continue;
      auto next = factor;
      for (std::size_t i = 0; i < 4; ++i)
        next[i] *= i == left.size() - 1 ? own.slope[k] : own.weight[k];
      add(left.subspan(1), offset + own.index[k] * stride, next, out);
    }
  }
};

}  // namespace

void forward(const GridSample& op, ForwardContext& c) {
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [s = Sampler(op, c.in_shape(0), c.in_shape(1))](Pointers p) {
        const auto grain = std::max<std::int64_t>(1, kElementGrain / 16 / s.channels);
        base::parallel_for(s.images * s.places, grain, [&](std::int64_t begin, std::int64_t end) {
          Reads reads;
          for (auto at = begin; at < end; ++at) {
            s.read(floats(p, 1) + at * static_cast<std::int64_t>(s.rank()), reads);
            const auto image = at / s.places, place = at % s.places;
            for (std::int64_t channel = 0; channel < s.channels; ++channel) {
              const float* x = floats(p, 0) + (image * s.channels + channel) * s.plane;
              float sum = 0;
              for (int k = 0; k < reads.count; ++k) {
                const auto& one = reads.all[static_cast<std::size_t>(k)];
                sum += one.weight * x[one.offset];
              }
              floats(p, 2)[(image * s.channels + channel) * s.places + place] = sum;
            }
          }
        });
      },
      {c.plain_in(0), c.plain_in(1)}, {dst});
  c.out(0, dst);
}

void backward(const GridSample& op, BackwardContext& c) {
  const Sampler sampler(op, c.in_shape(0), c.in_shape(1));
  if (c.wants(1) && c.b.rule() == GradientRule::rescale)
    c.fail(ErrorCode::unsupported, "DeepLIFT has no rule for a grid that the picture decides");
  if (c.wants(0)) {
    const Operand dx = c.make_plain_grad(0);
    // Places meet in elements: one image is one thread's.
    c.b.kernel(
        [s = sampler](Pointers p) {
          base::parallel_for(s.images, 1, [&](std::int64_t begin, std::int64_t end) {
            Reads reads;
            std::fill(floats(p, 2) + begin * s.channels * s.plane,
                      floats(p, 2) + end * s.channels * s.plane, 0.f);
            for (auto at = begin * s.places; at < end * s.places; ++at) {
              s.read(floats(p, 1) + at * static_cast<std::int64_t>(s.rank()), reads);
              const auto image = at / s.places, place = at % s.places;
              for (std::int64_t channel = 0; channel < s.channels; ++channel) {
                const auto row = image * s.channels + channel;
                const float dy = floats(p, 0)[row * s.places + place];
                float* x = floats(p, 2) + row * s.plane;
                for (int k = 0; k < reads.count; ++k) {
                  const auto& one = reads.all[static_cast<std::size_t>(k)];
                  x[one.offset] += one.weight * dy;
                }
              }
            }
          });
        },
        {c.plain_grad(), c.plain_in(1)}, {dx});
    c.send(0, dx);
  }
  if (c.wants(1)) {
    const Operand dgrid = c.make_plain_grad(1);
    c.b.kernel(
        [s = sampler](Pointers p) {
          const auto grain = std::max<std::int64_t>(1, kElementGrain / 16 / s.channels);
          base::parallel_for(s.images * s.places, grain, [&](std::int64_t begin, std::int64_t end) {
            Reads reads;
            const auto rank = static_cast<std::int64_t>(s.rank());
            for (auto at = begin; at < end; ++at) {
              s.read(floats(p, 1) + at * rank, reads);
              const auto image = at / s.places, place = at % s.places;
              std::array<double, 3> sums{};
              for (std::int64_t channel = 0; channel < s.channels; ++channel) {
                const auto row = image * s.channels + channel;
                const float dy = floats(p, 0)[row * s.places + place];
                const float* x = floats(p, 2) + row * s.plane;
                for (int k = 0; k < reads.count; ++k) {
                  const auto& one = reads.all[static_cast<std::size_t>(k)];
                  for (std::size_t i = 0; i < s.rank(); ++i)
                    sums[i] += one.by_axis[i] * x[one.offset] * dy;
                }
              }
              for (std::size_t i = 0; i < s.rank(); ++i)
                floats(p, 3)[at * rank + static_cast<std::int64_t>(i)] =
                    static_cast<float>(sums[i]);
            }
          });
        },
        {c.plain_grad(), c.plain_in(1), c.plain_in(0)}, {dgrid});
    c.send(1, dgrid);
  }
}

}  // namespace fovea::engine
