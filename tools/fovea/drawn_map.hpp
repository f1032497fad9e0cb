#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fovea/explanation.hpp"
#include "fovea/image.hpp"
#include "fovea/localization.hpp"
#include "session.hpp"
#include "slices.hpp"

/// An explanation's map as its pictures show it.
namespace fovea::cli {

/// Heat, by the request's colours; or red for and blue against, over a pale photo. Maps of pixels
/// (gradients, LRP, SHAP) have their full colours at a percentile. Small pictures are enlarged in
/// whole steps, and what the network did not see of a photo stays as it is, around a frame.
class DrawnMap {
 public:
  /// `rendering` is that of --rendering. auto: signed for maps of pixels, and for those that keep
  /// their sign; else heat.
  DrawnMap(const Session& session, const Explanation& why, const std::string& rendering);

  /// Of the map in the photo's pixels, or at the input's extents.
  const Shape& shape() const { return shape_; }
  bool is_signed() const { return options_.colormap == Colormap::red_blue; }
  /// The value of full colours, where that is no maximum: of maps of pixels.
  std::optional<float> full_at() const { return full_at_; }
  /// The map's own values at both ends of the colours.
  const ColorScale& scale() const { return scale_; }
  const OverlayOptions& options() const { return options_; }
  /// False where there is nothing to draw.
  bool shows_something() const { return !nothing_; }
  /// How many pixels of the picture, in each direction, are one of the photo or the tensor.
  int times() const { return times_; }
  /// Of a volume, the slices that the pictures show: unless others are given, those around its
  /// maximum's.
  const std::optional<Slices>& slices() const { return slices_; }
  void show(const Slices& slices) { slices_ = slices; }

  /// Throw Error invalid_argument for what is no picture (a signal). Of a volume: of its slices,
  /// stacked; pages() makes the picture of them.
  Image heatmap() const;
  /// Over what `backdrop` gives.
  Image overlay(Image backdrop) const;
  /// What lies under the map, at the pictures' size.
  Image plain(Image backdrop) const;

  /// The values as the picture has them, which scale() says, for a picture of so many pixels: red
  /// from its low end to its high one, green 255 where the network looked. Not of volumes.
  Image levels(int width, int height) const;

  /// Of a volume, the stacked slices side by side; else the picture as it is.
  Image pages(Image picture) const;

  /// Where a box of the map lies on its pictures.
  Box enlarged_box(const Box& box) const;

 private:
  Shape shape_;
  int width_ = 0, height_ = 0;  // of the pictures
  int times_ = 1;
  Tensor values_;
  std::optional<float> full_at_;
  OverlayOptions options_;
  ColorScale scale_;
  bool nothing_ = false;
  bool has_photo_ = false;
  std::optional<Slices> slices_;
};

/// The tensors as the model takes them: what is explained is the first that is an image.
std::vector<const Tensor*> tensors_in_order(const Session& session);

/// What the map is drawn over: the photo, or image `image` of the given tensor stretched to 0..255,
/// of a volume the slices that the map shows. `last` gives the session's photo away instead of
/// copying it. Throws Error invalid_argument where there is no such picture (a signal).
Image backdrop(Session& session, const DrawnMap& map, std::int64_t image, bool last);

/// The attribution around grey, at the input's size. Throws Error invalid_argument where there is
/// none.
Image coloured(const Explanation& why);

}  // namespace fovea::cli
