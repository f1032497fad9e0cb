#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fovea/image.hpp"
#include "fovea/tensor.hpp"

/// Volumes as pictures: some of their slices, evenly spaced along the first axis, side by side.
namespace fovea::cli {

class Slices {
 public:
  /// Of volumes [depth, rows, columns]: all slices where there are `most` at most, else so many
  /// that are evenly spaced. `peak`, an index of the volume, is in one of them.
  explicit Slices(const Shape& volume, const std::optional<Shape>& peak, std::int64_t most = 20);

  const std::vector<std::int64_t>& places() const { return places_; }
  /// The slices one below the other, [slices * rows, columns], as everything that draws maps wants
  /// them; means of several voxels where a slice has more pixels than are shown.
  Tensor stacked(const Tensor& volume) const;
  /// A picture that was drawn of stacked slices, cut into them, each under its place.
  std::vector<SheetCell> cells(const Image& stacked) const;
  /// "2, 15, 28, 41, 54 of 64, evenly spaced", and what they go through; or "all 4".
  std::string text(const std::string& through = {}) const;
  /// A picture that was drawn of stacked slices, cut into them: rows of slices, each under its
  /// place. Of one slice that alone.
  Image sheet(const Image& stacked) const;

 private:
  Image cut(const Image& stacked, std::size_t slice) const;

  Shape volume_;
  std::optional<std::int64_t> peak_;  ///< its slice
  std::vector<std::int64_t> places_;
  std::int64_t voxels_ = 1;  ///< in a row of those that a pixel is the mean of
};

/// The volume as grey levels, or as colours where it has three channels, from its lowest value to
/// its highest: image `image` of a tensor [images, channels, depth, rows, columns] or with its
/// channels last, of which it has the slices' extents; stacked. None where it has others.
std::optional<Image> stacked_slices(const Tensor& tensor, const Shape& volume, std::int64_t image,
                                    const Slices& slices);

}  // namespace fovea::cli
