#include "engine/ops/resize_taps.hpp"

#include <algorithm>
#include <cmath>

#include "graph/resize_places.hpp"

namespace fovea::engine {
namespace {

using graph::Resize;
using graph::ResizeMode;

double triangle(double distance) {
  return std::max(0.0, 1 - std::abs(distance));
}

/// Keys' kernel; a = -1/2 is Catmull and Rom's.
double cubic(double distance, double a) {
  const double x = std::abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

/// One row at a time; what falls on the same element is added up.
class Rows {
 public:
  explicit Rows(std::int64_t columns) { taps_.columns = columns; }

  void add(std::int64_t index, double weight) {
    const auto at = std::clamp<std::int64_t>(index, 0, taps_.columns - 1);
    sum_ += weight;
    if (!row_.empty() && taps_.index.back() == at) {
      row_.back() += weight;
    } else {
      taps_.index.push_back(at);
      row_.push_back(weight);
    }
  }
  /// Ends the row, its weights scaled to add up to 1.
  void end_scaled() {
    for (auto& weight : row_)
      if (sum_ != 0) weight /= sum_;
    end();
  }
  void end(float constant = 0) {
    for (const auto weight : row_) taps_.weight.push_back(static_cast<float>(weight));
    taps_.begin.push_back(taps_.index.size());
    constant_.push_back(constant);
    any_ = any_ || constant != 0;
    row_.clear();
    sum_ = 0;
  }
  AxisTaps take() {
    if (any_) taps_.constant = std::move(constant_);
    return std::move(taps_);
  }

 private:
  AxisTaps taps_;
  std::vector<double> row_;
  double sum_ = 0;
  std::vector<float> constant_;
  bool any_ = false;
};

/// The two neighbours of place `x`. What the second lacks to 1 is of the float that it will be, so
/// that the gradient is that of a + (b - a) weight.
void add_between(Rows& rows, double x) {
  const double low = std::floor(x);
  const auto weight = static_cast<float>(x - low);
  rows.add(static_cast<std::int64_t>(low), 1 - weight);
  if (weight != 0) rows.add(static_cast<std::int64_t>(low) + 1, weight);
}

/// The elements around place `x`, by a kernel that is stretched to 1 / scale of its width.
void add_around(Rows& rows, const Resize& op, double x, double scale, double reach,
                std::int64_t in) {
  const bool is_cubic = op.mode == ResizeMode::cubic;
  const auto first = static_cast<std::int64_t>(std::ceil(x - reach));
  const auto last = static_cast<std::int64_t>(std::floor(x + reach));
  for (auto at = first; at <= last; ++at) {
    if (op.exclude_outside && (at < 0 || at >= in)) continue;
    const double distance = (static_cast<double>(at) - x) * scale;
    const double weight = is_cubic ? cubic(distance, op.cubic_a) : triangle(distance);
    if (weight != 0) rows.add(at, weight);
  }
}

}  // namespace

AxisTaps resize_taps(const Resize& op, std::size_t axis, std::int64_t in) {
  const graph::ResizePlaces places(op, axis, in);
  const double scale = op.antialias ? std::min(1.0, places.scale()) : 1.0;
  const bool same = keeps_axis(op, axis, in);
  Rows rows(in);
  for (std::int64_t i = 0; i < (*op.sizes)[axis]; ++i) {
    if (same) {
      rows.add(i, 1);
      rows.end();
      continue;
    }
    const double x = places(i);
    if (places.is_outside(x)) {
      rows.end(op.extrapolation);
      continue;
    }
    if (op.mode == ResizeMode::cubic || op.antialias) {
      add_around(rows, op, x, scale, graph::kernel_reach(op, places), in);
      rows.end_scaled();
      continue;
    }
    if (op.mode == ResizeMode::nearest)
      rows.add(graph::nearest_element(op.nearest, x), 1);
    else
      add_between(rows, x);
    rows.end();
  }
  return rows.take();
}

AxisTaps transposed(const AxisTaps& taps) {
  AxisTaps out;
  out.columns = taps.rows();
  out.begin.assign(static_cast<std::size_t>(taps.columns) + 1, 0);
  for (const auto at : taps.index) ++out.begin[static_cast<std::size_t>(at) + 1];
  for (std::size_t k = 1; k < out.begin.size(); ++k) out.begin[k] += out.begin[k - 1];
  out.index.resize(taps.index.size());
  out.weight.resize(taps.weight.size());
  auto next = out.begin;
  for (std::size_t row = 0; row + 1 < taps.begin.size(); ++row)
    for (auto k = taps.begin[row]; k < taps.begin[row + 1]; ++k) {
      const auto at = next[static_cast<std::size_t>(taps.index[k])]++;
      out.index[at] = static_cast<std::int64_t>(row);
      out.weight[at] = taps.weight[k];
    }
  return out;
}

}  // namespace fovea::engine
