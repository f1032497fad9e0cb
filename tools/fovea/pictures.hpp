#pragma once

#include <cstdint>
#include <optional>

#include "fovea/explanation.hpp"
#include "fovea/image.hpp"
#include "session.hpp"
#include "slices.hpp"

/// Explanations as maps and pictures at the extents that a person looks at.
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
  /// Of a volume, the slices that its pictures show: those around its maximum's.
  const std::optional<Slices>& slices() const { return slices_; }
  /// Shows that slice alone.
  void show_one_slice();
  /// Throw Error invalid_argument for what is no picture (a signal).
  Image heatmap(Colormap colormap) const;
  /// Over what `backdrop` gives.
  Image overlay(Image backdrop, OverlayOptions options) const;

 private:
  int width() const { return static_cast<int>(shape_[1]); }
  int height() const { return static_cast<int>(shape_[0]); }

  Shape shape_;
  Tensor map_;
  std::optional<Slices> slices_;
  std::optional<View> view_;  // what of the photo map_ covers; none: map_ has the final extents
};

/// What the map is drawn over: the photo, or image `image` of the given tensor stretched to 0..255,
/// of a volume the slices that the map shows. `last` gives the session's photo away instead of
/// copying it. Throws Error invalid_argument where there is no such picture (a signal).
Image backdrop(Session& session, const FinalMap& map, std::int64_t image, bool last);

/// "signed": the attribution summed over channels, or the signed map, in two colours (of a volume
/// the slices that `map` shows); "color": the attribution around grey. Throws Error
/// invalid_argument where there is no such thing.
Image rendered(const Explanation& why, const std::string& rendering, const FinalMap& map);

/// Appends a map to others of its shape, as [n, map extents].
void stack(Tensor& maps, const Tensor& map);

/// n = images * targets maps as [images, targets, map extents], without the extents that are 1.
Tensor unstacked(Tensor maps, std::int64_t images, std::int64_t targets);

}  // namespace fovea::cli
