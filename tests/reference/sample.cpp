#include <algorithm>
#include <cmath>

#include "reference/parts.hpp"

namespace fovea::reference {
namespace {

using graph::GridPadding;
using graph::ResizeMode;

/// Folded back at `low` and `high` until it lies between them.
double reflect(double x, double low, double high) {
  if (high <= low) return low;
  for (int turn = 0; turn < 1000 && (x < low || x > high); ++turn)
    x = x < low ? 2 * low - x : 2 * high - x;
  return x;
}

/// Weight of the element at distance d.
double kernel(ResizeMode mode, double d) {
  d = std::abs(d);
  if (mode == ResizeMode::nearest) return d == 0 ? 1 : 0;
  if (mode == ResizeMode::linear) return std::max(0., 1 - d);
  const double a = -0.75;
  if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
  return d < 2 ? a * (d * d * d - 5 * d * d + 8 * d - 4) : 0;
}

/// Per element of an axis, what it counts for at the grid's coordinate.
std::vector<double> axis_weights(const graph::GridSample& op, double at, std::int64_t extent) {
  const auto n = static_cast<double>(extent);
  const double low = op.align_corners ? 0 : -0.5, high = op.align_corners ? n - 1 : n - 0.5;
  double x = op.align_corners ? (at + 1) / 2 * (n - 1) : ((at + 1) * n - 1) / 2;
  if (op.mode == ResizeMode::nearest) x = std::nearbyint(x);
  if (x < low || x > high) {
    if (op.padding == GridPadding::border) x = std::clamp(x, 0., n - 1);
    if (op.padding == GridPadding::reflection) x = reflect(x, low, high);
  }
  std::vector<double> out(static_cast<std::size_t>(extent), 0);
  // A reflection at half an element leaves nearest between two.
  const auto first = static_cast<std::int64_t>(std::floor(x)) - 2;
  for (auto k = first; k < first + 6; ++k) {
    const double own = static_cast<double>(k);
    const double weight =
        op.mode == ResizeMode::nearest ? (own == std::floor(x) ? 1 : 0) : kernel(op.mode, x - own);
    double to = own;
    if (op.padding == GridPadding::border) to = std::clamp(own, 0., n - 1);
    if (op.padding == GridPadding::reflection) to = std::trunc(reflect(own, low, high));
    if (to >= 0 && to < n) out[static_cast<std::size_t>(to)] += weight;
  }
  return out;
}

}  // namespace

Array grid_sample(const graph::GridSample& op, const Arrays& in, const Shape& shape) {
  const auto &x = in[0], &grid = in[1];
  const auto rank = x.shape.size() - 2;
  Array out(shape);
  each(shape, [&](const Index& o) {
    std::vector<std::vector<double>> weights;
    Shape extents;
    for (std::size_t d = 0; d < rank; ++d) {
      Index at{o[0]};
      at.insert(at.end(), o.begin() + 2, o.end());
      at.push_back(static_cast<std::int64_t>(rank - 1 - d));
      weights.push_back(axis_weights(op, grid[at], x.shape[d + 2]));
      extents.push_back(x.shape[d + 2]);
    }
    double sum = 0;
    each(extents, [&](const Index& place) {
      double weight = 1;
      Index at{o[0], o[1]};
      for (std::size_t d = 0; d < rank; ++d) {
        weight *= weights[d][static_cast<std::size_t>(place[d])];
        at.push_back(place[d]);
      }
      sum += weight * x[at];
    });
    out[o] = sum;
  });
  return out;
}

Array col2im(const graph::Col2Im& op, const Array& x, const Shape& shape) {
  const auto& w = op.window;
  const auto rank = shape.size() - 2;
  Shape blocks;
  for (std::size_t d = 0; d < rank; ++d) {
    const auto reach = (w.kernel[d] - 1) * w.dilations[d] + 1;
    blocks.push_back((shape[d + 2] + w.pads_begin[d] + w.pads_end[d] - reach) / w.strides[d] + 1);
  }
  Array out(shape);
  each({shape[0], shape[1]}, [&](const Index& row) {
    std::int64_t element = row[1] * count(w.kernel);
    each(w.kernel, [&](const Index& k) {
      std::int64_t block = 0;
      each(blocks, [&](const Index& b) {
        Index at = row;
        bool inside = true;
        for (std::size_t d = 0; d < rank; ++d) {
          at.push_back(b[d] * w.strides[d] + k[d] * w.dilations[d] - w.pads_begin[d]);
          inside = inside && at.back() >= 0 && at.back() < shape[d + 2];
        }
        if (inside) out[at] += x[{row[0], element, block}];
        ++block;
      });
      ++element;
    });
  });
  return out;
}

}  // namespace fovea::reference
