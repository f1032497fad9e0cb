#include <algorithm>
#include <array>
#include <cmath>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::RoiAlign;

/// Four elements of a plane and what each counts for in a sample.
struct Sample {
  std::array<std::int64_t, 4> at{};
  std::array<float, 4> weight{};
};

struct Regions {
  RoiAlign op;
  std::int64_t images, channels, height, width, count;

  Regions(const RoiAlign& own, const Shape& x, const Shape& regions)
      : op(own), images(x[0]), channels(x[1]), height(x[2]), width(x[3]), count(regions[0]) {}

  std::int64_t plane() const { return height * width; }
  std::int64_t cells() const { return op.rows * op.columns; }

  std::int64_t image(const float* of, std::int64_t region) const {
    const float value = of[region];
    if (!(value >= 0 && value < static_cast<float>(images)))
      throw Error(ErrorCode::bad_input, "a region lies in an image that is not there");
    return static_cast<std::int64_t>(value);
  }

  /// Calls visit(cell, sample, samples of the cell) in order.
  template <class Visit>
  void samples(const float* corners, Visit&& visit) const {
    const float shift = op.half_pixel ? 0.5f : 0.f;
    const float left = corners[0] * op.scale - shift, top = corners[1] * op.scale - shift;
    float wide = corners[2] * op.scale - shift - left, high = corners[3] * op.scale - shift - top;
    if (!op.half_pixel) {
      wide = std::max(wide, 1.f);
      high = std::max(high, 1.f);
    }
    const float cell_high = high / static_cast<float>(op.rows);
    const float cell_wide = wide / static_cast<float>(op.columns);
    const auto down = per_cell(cell_high), across = per_cell(cell_wide);
    if (across == 0) return;
    for (std::int64_t cell = 0; cell < cells(); ++cell)
      for (std::int64_t i = 0; i < down; ++i) {
        const std::int64_t row = cell / op.columns;
        const float y =
            top + cell_high * (static_cast<float>(row) +
                               (static_cast<float>(i) + 0.5f) / static_cast<float>(down));
        // A line of samples beside the map is as one of them, however many there are: zeros.
        if (!is_inside(y, height)) {
          visit(cell, Sample{}, down * across);
          continue;
        }
        for (std::int64_t j = 0; j < across; ++j) {
          const float x =
              left + cell_wide * (static_cast<float>(cell % op.columns) +
                                  (static_cast<float>(j) + 0.5f) / static_cast<float>(across));
          visit(cell, sample(y, x), down * across);
        }
      }
  }

 private:
  std::int64_t per_cell(float extent) const {
    if (op.samples > 0) return op.samples;
    // Wider than any map; what is not a number has none.
    constexpr float kMost = 4096;
    return extent > 0 ? static_cast<std::int64_t>(std::ceil(std::min(extent, kMost))) : 0;
  }

  struct Between {
    std::int64_t low, high;
    float part;
  };
  static Between between(float at, std::int64_t extent) {
    at = std::max(at, 0.f);
    const auto low = static_cast<std::int64_t>(at);
    if (low >= extent - 1) return {extent - 1, extent - 1, 0};
    return {low, low + 1, at - static_cast<float>(low)};
  }

  static bool is_inside(float at, std::int64_t extent) {
    return at >= -1 && at <= static_cast<float>(extent);
  }

  Sample sample(float y, float x) const {
    if (!is_inside(y, height) || !is_inside(x, width)) return {};
    const auto row = between(y, height), column = between(x, width);
    return {{row.low * width + column.low, row.low * width + column.high,
             row.high * width + column.low, row.high * width + column.high},
            {(1 - row.part) * (1 - column.part), (1 - row.part) * column.part,
             row.part * (1 - column.part), row.part * column.part}};
  }
};

/// Where the largest product of a cell lies: which channel's plane `x` is.
struct Largest {
  bool any = false;
  float value = 0, weight = 0;
  std::int64_t at = 0;

  void add(const Sample& sample, const float* x) {
    for (std::size_t k = 0; k < 4; ++k) {
      const float product = sample.weight[k] * x[sample.at[k]];
      if (any && !(product > value)) continue;
      any = true;
      value = product;
      weight = sample.weight[k];
      at = sample.at[k];
    }
  }
};

/// visit(cell, where) for the largest product in each cell of one channel.
template <class Visit>
void largest_of(const Regions& r, const float* corners, const float* x, Visit&& visit) {
  Largest best;
  std::int64_t last = 0;
  r.samples(corners, [&](std::int64_t cell, const Sample& sample, std::int64_t) {
    if (cell != last && best.any) visit(last, best);
    if (cell != last) best = {};
    last = cell;
    best.add(sample, x);
  });
  if (best.any) visit(last, best);
}

/// body(region, image, first channel, last): in parallel over channels, so that regions that meet
/// are one thread's.
template <class Body>
void over_planes(const Regions& r, const float* images, Body&& body) {
  const auto grain =
      std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, r.count * r.cells()));
  base::parallel_for(r.channels, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t region = 0; region < r.count; ++region)
      body(region, r.image(images, region), begin, end);
  });
}

}  // namespace

void forward(const RoiAlign& op, ForwardContext& c) {
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [r = Regions(op, c.in_shape(0), c.in_shape(1))](Pointers p) {
        over_planes(
            r, floats(p, 2),
            [&](std::int64_t region, std::int64_t image, std::int64_t begin, std::int64_t end) {
              const float* corners = floats(p, 1) + region * 4;
              const float* x = floats(p, 0) + image * r.channels * r.plane();
              float* y = floats(p, 3) + region * r.channels * r.cells();
              std::fill(y + begin * r.cells(), y + end * r.cells(), 0.f);
              if (r.op.max) {
                for (auto channel = begin; channel < end; ++channel)
                  largest_of(r, corners, x + channel * r.plane(),
                             [&](std::int64_t cell, const Largest& best) {
                               y[channel * r.cells() + cell] = best.value;
                             });
                return;
              }
              r.samples(corners, [&](std::int64_t cell, const Sample& sample, std::int64_t all) {
                for (auto channel = begin; channel < end; ++channel) {
                  const float* own = x + channel * r.plane();
                  float sum = 0;
                  for (std::size_t k = 0; k < 4; ++k) sum += sample.weight[k] * own[sample.at[k]];
                  y[channel * r.cells() + cell] += sum / static_cast<float>(all);
                }
              });
            });
      },
      {c.plain_in(0), c.plain_in(1), c.plain_in(2)}, {dst});
  c.out(0, dst);
}

void backward(const RoiAlign& op, BackwardContext& c) {
  if (c.b.rule() == GradientRule::rescale && (op.max || !c.is_constant(1)))
    c.fail(ErrorCode::unsupported,
           op.max ? "DeepLIFT has no rule for the largest of weighted elements"
                  : "DeepLIFT has no rule for regions that the picture decides");
  const Operand dx = c.make_plain_grad(0);
  std::vector<Operand> reads{c.plain_grad(), c.plain_in(1), c.plain_in(2)};
  if (op.max) reads.push_back(c.plain_in(0));
  const std::size_t to = reads.size();
  c.b.kernel(
      [r = Regions(op, c.in_shape(0), c.in_shape(1)), to](Pointers p) {
        float* out = floats(p, to);
        std::fill(out, out + r.images * r.channels * r.plane(), 0.f);
        over_planes(
            r, floats(p, 2),
            [&](std::int64_t region, std::int64_t image, std::int64_t begin, std::int64_t end) {
              const float* corners = floats(p, 1) + region * 4;
              const auto first = image * r.channels * r.plane();
              const float* dy = floats(p, 0) + region * r.channels * r.cells();
              if (r.op.max) {
                for (auto channel = begin; channel < end; ++channel) {
                  const auto plane = first + channel * r.plane();
                  largest_of(r, corners, floats(p, 3) + plane,
                             [&](std::int64_t cell, const Largest& best) {
                               out[plane + best.at] += best.weight * dy[channel * r.cells() + cell];
                             });
                }
                return;
              }
              r.samples(corners, [&](std::int64_t cell, const Sample& sample, std::int64_t all) {
                for (auto channel = begin; channel < end; ++channel) {
                  float* own = out + first + channel * r.plane();
                  const float d = dy[channel * r.cells() + cell] / static_cast<float>(all);
                  for (std::size_t k = 0; k < 4; ++k) own[sample.at[k]] += sample.weight[k] * d;
                }
              });
            });
      },
      reads, {dx});
  c.send(0, dx);
}

}  // namespace fovea::engine
