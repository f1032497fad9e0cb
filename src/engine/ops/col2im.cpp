#include <algorithm>
#include <array>
#include <memory>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::Col2Im;

/// Where in a channel of the image each element of its columns lies: [element of the block, block],
/// -1 in the padding.
std::vector<std::int64_t> places_of(const Col2Im& op) {
  const auto& w = op.window;
  const auto& image = *op.image;
  std::vector<std::int64_t> out{0};
  // Axis by axis: [blocks' elements so far, blocks so far] grows by the axis' own.
  std::int64_t elements = 1, blocks = 1;
  for (std::size_t d = 0; d < image.size(); ++d) {
    const auto extent = image[d], kernel = w.kernel[d];
    const auto reach = (kernel - 1) * w.dilations[d] + 1;
    const auto steps = (extent + w.pads_begin[d] + w.pads_end[d] - reach) / w.strides[d] + 1;
    std::vector<std::int64_t> next(out.size() * static_cast<std::size_t>(kernel * steps));
    std::size_t to = 0;
    for (std::int64_t e = 0; e < elements; ++e)
      for (std::int64_t k = 0; k < kernel; ++k)
        for (std::int64_t b = 0; b < blocks; ++b)
          for (std::int64_t s = 0; s < steps; ++s, ++to) {
            const auto before = out[static_cast<std::size_t>(e * blocks + b)];
            const auto at = s * w.strides[d] + k * w.dilations[d] - w.pads_begin[d];
            next[to] = before < 0 || at < 0 || at >= extent ? -1 : before * extent + at;
          }
    out = std::move(next);
    elements *= kernel;
    blocks *= steps;
  }
  return out;
}

struct Columns {
  std::shared_ptr<const std::vector<std::int64_t>> places;
  std::int64_t rows = 1, plane = 1;  // images times channels; positions of the image

  Columns(const Col2Im& op, const Shape& image)
      : places(std::make_shared<const std::vector<std::int64_t>>(places_of(op))),
        rows(image[0] * image[1]) {
    for (const auto extent : *op.image) plane *= extent;
  }
  std::int64_t count() const { return static_cast<std::int64_t>(places->size()); }
  std::int64_t grain() const { return std::max<std::int64_t>(1, kElementGrain / count()); }
};

}  // namespace

void forward(const Col2Im& op, ForwardContext& c) {
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [cols = Columns(op, c.out_shape())](Pointers p) {
        base::parallel_for(cols.rows, cols.grain(), [&](std::int64_t begin, std::int64_t end) {
          for (auto row = begin; row < end; ++row) {
            const float* x = floats(p, 0) + row * cols.count();
            float* y = floats(p, 1) + row * cols.plane;
            std::fill(y, y + cols.plane, 0.f);
            for (const auto place : *cols.places) {
              if (place >= 0) y[place] += *x;
              ++x;
            }
          }
        });
      },
      {c.plain_in(0)}, {dst});
  c.out(0, dst);
}

void backward(const Col2Im& op, BackwardContext& c) {
  const Operand dx = c.make_plain_grad(0);
  c.b.kernel(
      [cols = Columns(op, c.out_shape())](Pointers p) {
        base::parallel_for(cols.rows, cols.grain(), [&](std::int64_t begin, std::int64_t end) {
          for (auto row = begin; row < end; ++row) {
            const float* dy = floats(p, 0) + row * cols.plane;
            float* out = floats(p, 1) + row * cols.count();
            for (const auto place : *cols.places) *out++ = place < 0 ? 0.f : dy[place];
          }
        });
      },
      {c.plain_grad()}, {dx});
  c.send(0, dx);
}

}  // namespace fovea::engine
