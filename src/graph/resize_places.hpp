#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "graph/ops.hpp"

namespace fovea::graph {

/// Where on the input's axis, of extent `in`, the elements of a resolved resize's result lie. One
/// division each, of numbers that are exact where extents are given: what is halfway between two
/// elements comes out so.
class ResizePlaces {
 public:
  ResizePlaces(const Resize& op, std::size_t axis, std::int64_t in)
      : coordinates_(op.coordinates),
        in_(static_cast<double>(in)),
        out_(static_cast<double>((*op.sizes)[axis])),
        to_(op.factors[axis].to),
        from_(op.factors[axis].from),
        width_(in_ * to_ / from_) {
    if (op.roi.empty()) return;
    start_ = op.roi[axis];
    end_ = op.roi[op.roi.size() / 2 + axis];
  }

  double operator()(std::int64_t i) const {
    const auto x = static_cast<double>(i);
    switch (coordinates_) {
      case ResizeCoordinates::half_pixel:
        return (x + 0.5) * from_ / to_ - 0.5;
      case ResizeCoordinates::half_pixel_symmetric:
        // The middles of both are one place.
        return ((in_ - 1) * to_ + (2 * x + 1 - out_) * from_) / (2 * to_);
      case ResizeCoordinates::pytorch_half_pixel:
        return width_ == 1 ? 0.0 : (x + 0.5) * from_ / to_ - 0.5;
      case ResizeCoordinates::align_corners:
        return width_ == 1 ? 0.0 : x * (in_ - 1) / (width_ - 1);
      case ResizeCoordinates::asymmetric:
        return x * from_ / to_;
      case ResizeCoordinates::tf_half_pixel_for_nn:
        return (x + 0.5) * from_ / to_;
      case ResizeCoordinates::tf_crop_and_resize:
        if (width_ == 1) return (start_ + end_) * (in_ - 1) / 2;
        return ((width_ - 1 - x) * start_ + x * end_) * (in_ - 1) / (width_ - 1);
    }
    return 0;
  }

  bool is_outside(double x) const {
    return coordinates_ == ResizeCoordinates::tf_crop_and_resize && (x < 0 || x > in_ - 1);
  }
  /// Below 1 where the axis shrinks.
  double scale() const { return to_ / from_; }

 private:
  ResizeCoordinates coordinates_;
  double in_, out_, to_, from_;
  double width_;  ///< before it became a whole number
  double start_ = 0, end_ = 1;
};

/// The element that place `x` takes; it may lie beyond the axis.
inline std::int64_t nearest_element(NearestMode mode, double x) {
  switch (mode) {
    case NearestMode::round_prefer_floor:
      return static_cast<std::int64_t>(std::ceil(x - 0.5));
    case NearestMode::round_prefer_ceil:
      return static_cast<std::int64_t>(std::floor(x + 0.5));
    case NearestMode::floor:
      return static_cast<std::int64_t>(std::floor(x));
    case NearestMode::ceil:
      return static_cast<std::int64_t>(std::ceil(x));
  }
  return 0;
}

/// How far from a place the elements lie that its kernel (linear with antialiasing, or cubic)
/// reads: in elements of the input.
inline double kernel_reach(const Resize& op, const ResizePlaces& places) {
  const double scale = op.antialias ? std::min(1.0, places.scale()) : 1.0;
  return (op.mode == ResizeMode::cubic ? 2 : 1) / scale;
}

}  // namespace fovea::graph
