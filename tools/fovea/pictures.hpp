#pragma once

#include <cstdint>
#include <optional>

#include "fovea/explanation.hpp"
#include "fovea/image.hpp"
#include "session.hpp"

/// Explanations as maps at the extents that a person looks at.
namespace fovea::cli {

/// One explanation's map in the photo's own pixels, or at the input's extents where a tensor was
/// given. At the size of a photo it is held only where `tensor` asks for it.
class FinalMap {
 public:
  FinalMap(const Session& session, const Explanation& why, Normalize how);

  const Shape& shape() const { return shape_; }
  Tensor tensor() const;
  /// Index of the first maximum, an entry per extent; none for a map that is zero everywhere.
  std::optional<Shape> max_at() const;

 private:
  int width() const { return static_cast<int>(shape_[1]); }
  int height() const { return static_cast<int>(shape_[0]); }

  Shape shape_;
  Tensor map_;
  std::optional<View> view_;  // what of the photo map_ covers; none: map_ has the final extents
};

/// Index of the first maximum, an entry per extent; none for a map that is zero everywhere.
std::optional<Shape> first_maximum(const Tensor& map);

/// Appends a map to others of its shape, as [n, map extents].
void stack(Tensor& maps, const Tensor& map);

/// n = images * targets maps as [images, targets, map extents], without the extents that are 1.
Tensor unstacked(Tensor maps, std::int64_t images, std::int64_t targets);

}  // namespace fovea::cli
