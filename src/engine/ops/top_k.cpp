#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::TopK;

/// Along one axis: `lines` of `extent` elements that lie `stride` apart.
struct Ranking {
  std::int64_t lines = 1, extent = 1, stride = 1, k = 0;
  bool largest = true;

  Ranking(const TopK& op, const Shape& shape) : k(*op.k), largest(op.largest) {
    const auto axis = static_cast<std::size_t>(op.axis);
    extent = shape[axis];
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (d != axis) lines *= shape[d];
      if (d > axis) stride *= shape[d];
    }
  }

  /// `order`: room for the line's elements.
  void rank(const float* x, std::int32_t* order, float* out, std::int64_t line) const {
    const float* first = x + line / stride * extent * stride + line % stride;
    for (std::int64_t i = 0; i < extent; ++i) order[i] = static_cast<std::int32_t>(i);
    const auto before = [&](std::int32_t a, std::int32_t b) {
      float left = first[a * stride], right = first[b * stride];
      if (!largest) std::swap(left, right);
      // What is not a number is larger than any.
      if (std::isnan(left) != std::isnan(right)) return std::isnan(left);
      return left > right || (!(left < right) && a < b);
    };
    std::partial_sort(order, order + k, order + extent, before);
    float* to = out + line / stride * k * stride + line % stride;
    for (std::int64_t i = 0; i < k; ++i) to[i * stride] = static_cast<float>(order[i]);
  }
};

}  // namespace

void forward(const TopK& op, ForwardContext& c) {
  const Ranking ranking(op, c.in_shape(0));
  const Operand dst = c.make_plain_out();
  const Operand order = c.b.make(plain_desc(c.in_shape(0)));
  static_assert(sizeof(float) == sizeof(std::int32_t));
  c.b.kernel(
      [ranking](Pointers p) {
        auto* room = reinterpret_cast<std::int32_t*>(p[2]);
        const auto grain = std::max<std::int64_t>(1, kElementGrain / 16 / ranking.extent);
        base::parallel_for(ranking.lines, grain, [&](std::int64_t begin, std::int64_t end) {
          for (auto line = begin; line < end; ++line)
            ranking.rank(floats(p, 0), room + line * ranking.extent, floats(p, 1), line);
        });
      },
      {c.plain_in(0)}, {dst, order});
  c.out(0, dst);
}

}  // namespace fovea::engine
