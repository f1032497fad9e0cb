#include "image/geometry.hpp"

#include <algorithm>
#include <cmath>

#include "base/checked.hpp"
#include "image/check.hpp"

namespace fovea {
namespace image {
namespace {

// Bounds the tables of one axis, however narrow the photo is; kMaxPixels bounds the picture.
constexpr std::int64_t kMaxResizedSide = std::int64_t{1} << 18;

std::int64_t product(std::int64_t a, std::int64_t b) {
  return base::checked_mul(a, b, ErrorCode::invalid_argument);
}

// The nearest integer to a / b, halves upwards; both positive.
std::int64_t rounded_ratio(std::int64_t a, std::int64_t b) {
  return (product(a, 2) + b) / product(b, 2);
}

// The nearest integer to n / 2, halves to even, as Python's round.
std::int64_t half_to_even(std::int64_t n) {
  return n / 2 + (n % 4 == 3 ? 1 : 0);
}

Axis resized_whole(std::int64_t crop, std::int64_t crop_size, std::int64_t input) {
  return {crop, crop_size, input, 0, 0, input, input};
}

using OddMargin = Preprocess::OddMargin;

// The centre of the resized axis, or all of it between borders where it is too short.
Axis centred_crop(std::int64_t photo, std::int64_t resized, std::int64_t input, OddMargin odd) {
  if (input > resized) return {0, photo, resized, 0, (input - resized) / 2, resized, input};
  const std::int64_t margin = resized - input;
  return {0, photo, resized, odd == OddMargin::even ? half_to_even(margin) : margin / 2,
          0, input, input};
}

Axis letterboxed(std::int64_t photo, std::int64_t resized, std::int64_t input) {
  return {0, photo, resized, 0, (input - resized) / 2, resized, input};
}

void check_resized(std::int64_t width, std::int64_t height) {
  if (std::max(width, height) > kMaxResizedSide || product(width, height) > kMaxPixels)
    throw Error(ErrorCode::bad_input, "the photo is too narrow for this recipe");
}

Placement resize_crop(std::int64_t w, std::int64_t h, const Preprocess& recipe, std::int64_t iw,
                      std::int64_t ih) {
  std::int64_t shorter = recipe.shorter_side;
  if (shorter < 0 || shorter > kMaxSide)
    throw Error(ErrorCode::invalid_argument, "shorter_side must be 0 to 16384");
  if (shorter == 0) shorter = rounded_ratio(product(std::min(iw, ih), 256), 224);
  const std::int64_t longer = product(shorter, std::max(w, h)) / std::min(w, h);
  check_resized(longer, shorter);
  return {centred_crop(w, w <= h ? shorter : longer, iw, recipe.odd_margin),
          centred_crop(h, w <= h ? longer : shorter, ih, recipe.odd_margin)};
}

// The nearest integer, halves to even, at least 1.
std::int64_t rounded_side(double side) {
  const double down = std::floor(side), rest = side - down;
  const auto whole = static_cast<std::int64_t>(down);
  return std::max<std::int64_t>(1, whole + (rest > 0.5 || (rest == 0.5 && whole % 2 != 0)));
}

// To a size that is given, or to one of the photo's proportions that covers it or lies within it.
Placement sized_crop(std::int64_t w, std::int64_t h, const Preprocess& recipe, std::int64_t iw,
                     std::int64_t ih) {
  for (const int side : {recipe.resized_width, recipe.resized_height})
    if (side < 0 || side > kMaxSide)
      throw Error(ErrorCode::invalid_argument,
                  "resized_width and resized_height must be 0 to 16384");
  std::int64_t rw = recipe.resized_width == 0 ? iw : recipe.resized_width;
  std::int64_t rh = recipe.resized_height == 0 ? ih : recipe.resized_height;
  if (recipe.geometry != Preprocess::Geometry::squash_crop) {
    // In floating point, as timm does: its rounding is ours.
    const double across = static_cast<double>(w) / static_cast<double>(rw);
    const double down = static_cast<double>(h) / static_cast<double>(rh);
    const double ratio = recipe.geometry == Preprocess::Geometry::cover_crop
                             ? std::min(across, down)
                             : std::max(across, down);
    rw = rounded_side(static_cast<double>(w) / ratio);
    rh = rounded_side(static_cast<double>(h) / ratio);
  }
  check_resized(rw, rh);
  return {centred_crop(w, rw, iw, recipe.odd_margin), centred_crop(h, rh, ih, recipe.odd_margin)};
}

Placement letterbox(std::int64_t w, std::int64_t h, std::int64_t iw, std::int64_t ih) {
  const bool full_width = product(iw, h) <= product(ih, w);
  const std::int64_t rw =
      full_width ? iw : std::max<std::int64_t>(1, rounded_ratio(product(w, ih), h));
  const std::int64_t rh =
      full_width ? std::max<std::int64_t>(1, rounded_ratio(product(h, iw), w)) : ih;
  return {letterboxed(w, rw, iw), letterboxed(h, rh, ih)};
}

Placement placed(std::int64_t photo_width, std::int64_t photo_height, const Preprocess& recipe,
                 std::int64_t input_width, std::int64_t input_height) {
  switch (recipe.geometry) {
    case Preprocess::Geometry::stretch:
      return {resized_whole(0, photo_width, input_width),
              resized_whole(0, photo_height, input_height)};
    case Preprocess::Geometry::center_square: {
      const std::int64_t side = std::min(photo_width, photo_height);
      return {resized_whole((photo_width - side) / 2, side, input_width),
              resized_whole((photo_height - side) / 2, side, input_height)};
    }
    case Preprocess::Geometry::resize_crop:
      return resize_crop(photo_width, photo_height, recipe, input_width, input_height);
    case Preprocess::Geometry::squash_crop:
    case Preprocess::Geometry::cover_crop:
    case Preprocess::Geometry::contain_crop:
      return sized_crop(photo_width, photo_height, recipe, input_width, input_height);
    case Preprocess::Geometry::letterbox:
      return letterbox(photo_width, photo_height, input_width, input_height);
  }
  throw Error(ErrorCode::invalid_argument, "unknown geometry");
}

// The pixels that an axis of the reduced photo, [begin, begin + size) of `pixels`, shows of a crop.
Axis reduced(Axis axis, std::int64_t photo, double begin, double size, std::int64_t pixels) {
  const double scale = size / static_cast<double>(photo);
  const double from = begin + static_cast<double>(axis.crop) * scale;
  const double to = begin + static_cast<double>(axis.crop + axis.crop_size) * scale;
  axis.crop = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(from)), 0, pixels - 1);
  const auto last = static_cast<std::int64_t>(std::ceil(to));
  axis.crop_size = std::clamp<std::int64_t>(last, axis.crop + 1, pixels) - axis.crop;
  axis.from = std::max(0.0, from - static_cast<double>(axis.crop));
  axis.to = std::min(static_cast<double>(axis.crop_size), to - static_cast<double>(axis.crop));
  return axis;
}

}  // namespace

Placement place(std::int64_t photo_width, std::int64_t photo_height, const Preprocess& recipe,
                std::int64_t input_width, std::int64_t input_height) {
  check_extents(photo_width, photo_height, ErrorCode::invalid_argument);
  check_extents(input_width, input_height, ErrorCode::invalid_argument);
  Placement out = placed(photo_width, photo_height, recipe, input_width, input_height);
  for (Axis* axis : {&out.x, &out.y}) axis->to = static_cast<double>(axis->crop_size);
  return out;
}

int enough_eighths(const Placement& placement, const Preprocess& recipe) {
  // What takes single pixels, or is defined by its own mean of the photo's, needs all of them.
  if (recipe.resize != Preprocess::Resize::bilinear_antialias) return 8;
  // A decoded pixel is a mean of the photo's. The antialiasing that follows hides how that mean was
  // made if it has several of them for each of the input's.
  constexpr double kPixels = 2.0;
  for (const int eighths : {1, 2, 4}) {
    const auto left = [eighths](const Axis& axis) {
      return static_cast<double>(axis.crop_size) * eighths / 8 / static_cast<double>(axis.resized);
    };
    if (left(placement.x) >= kPixels && left(placement.y) >= kPixels) return eighths;
  }
  return 8;
}

Placement place_reduced(const Placement& placement, const ReducedImage& photo) {
  const View& whole = photo.whole;
  Placement out = placement;
  out.x = reduced(placement.x, photo.width, whole.x0, whole.x1 - whole.x0, photo.image.width);
  out.y = reduced(placement.y, photo.height, whole.y0, whole.y1 - whole.y0, photo.image.height);
  return out;
}

}  // namespace image

View view_of(int photo_width, int photo_height, const Preprocess& recipe, std::int64_t input_width,
             std::int64_t input_height) {
  const image::Placement placement =
      image::place(photo_width, photo_height, recipe, input_width, input_height);
  const auto photo_at = [](const image::Axis& axis, std::int64_t input) {
    const double step = static_cast<double>(axis.crop_size) / static_cast<double>(axis.resized);
    return static_cast<double>(axis.crop) +
           static_cast<double>(input - axis.place + axis.take) * step;
  };
  return {photo_at(placement.x, 0), photo_at(placement.y, 0),
          photo_at(placement.x, placement.x.input), photo_at(placement.y, placement.y.input)};
}

Preprocess without_crop(Preprocess recipe, Whole how) {
  recipe.geometry =
      how == Whole::letterbox ? Preprocess::Geometry::letterbox : Preprocess::Geometry::stretch;
  recipe.shorter_side = recipe.resized_width = recipe.resized_height = 0;
  recipe.odd_margin = Preprocess::OddMargin::even;
  return recipe;
}

}  // namespace fovea
