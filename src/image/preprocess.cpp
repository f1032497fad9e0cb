#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "image/check.hpp"
#include "image/geometry.hpp"
#include "image/resample.hpp"
#include "simd/kernels.hpp"

namespace fovea {
namespace image {
namespace {

using Order = Preprocess::Order;

void check_recipe(const Preprocess& recipe, std::int64_t channels) {
  const auto refuse = [](const char* sentence) {
    throw Error(ErrorCode::invalid_argument, sentence);
  };
  if (channels != 1 && channels != 3) refuse("an image input must have 1 or 3 channels");
  if (!std::isfinite(recipe.scale)) refuse("the recipe's scale must be finite");
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    if (!std::isfinite(recipe.mean[c])) refuse("the recipe's mean must be finite");
    // Judged as the float that divides.
    if (!std::isfinite(recipe.std[c]) || static_cast<float>(recipe.std[c]) == 0.0f)
      refuse("the recipe's std must be finite and not 0");
  }
}

Picture grey(const Image& photo) {
  Picture out{photo.width, photo.height, 1, {}};
  const auto pixels = static_cast<std::int64_t>(photo.rgb.size() / 3);
  out.bytes.resize(static_cast<std::size_t>(pixels));
  base::parallel_for(pixels, rows_per_thread(1), [&](auto begin, auto end) {
    simd::kernels().grey(photo.rgb.data() + 3 * begin, 3, end - begin, out.bytes.data() + begin);
  });
  return out;
}

// What a pixel outside the photo becomes: the mean (so 0) in a letterbox, the byte nearest to the
// mean where timm has it, else black.
float border_value(const Preprocess& recipe, std::size_t channel) {
  using Geometry = Preprocess::Geometry;
  if (recipe.geometry == Geometry::letterbox) return 0.0f;
  float value = 0.0f;
  if (recipe.geometry == Geometry::contain_crop)
    value = static_cast<float>(
        std::clamp(std::nearbyint(recipe.mean[channel] / recipe.scale), 0.0, 255.0));
  return (value * static_cast<float>(recipe.scale) - static_cast<float>(recipe.mean[channel])) /
         static_cast<float>(recipe.std[channel]);
}

simd::PlanarSpec planar_spec(const Preprocess& recipe, std::int64_t src_channels,
                             std::int64_t dst_channels, std::size_t first_channel) {
  simd::PlanarSpec spec{
      src_channels, dst_channels, recipe.order == Order::bgr, static_cast<float>(recipe.scale),
      {},           {1, 1, 1}};
  for (std::size_t c = 0; c < static_cast<std::size_t>(dst_channels); ++c) {
    spec.mean[c] = static_cast<float>(recipe.mean[first_channel + c]);
    spec.std[c] = static_cast<float>(recipe.std[first_channel + c]);
  }
  return spec;
}

// Planes [channels, height, width] of the picture at its place.
void normalise(const Picture& picture, const Preprocess& recipe, const Placement& placement,
               std::int64_t channels, float* planes) {
  const Axis &x = placement.x, &y = placement.y;
  const std::int64_t plane = x.input * y.input;
  if (x.count < x.input || y.count < y.input)
    for (std::int64_t c = 0; c < channels; ++c)
      std::fill_n(planes + c * plane, plane, border_value(recipe, static_cast<std::size_t>(c)));

  const std::int64_t row_bytes = picture.width * picture.channels;
  float* first = planes + y.place * x.input + x.place;
  const auto write = [&](const simd::PlanarSpec& spec, float* to) {
    base::parallel_for(picture.height, rows_per_thread(picture.width), [&](auto begin, auto end) {
      simd::kernels().planar(picture.bytes.data(), row_bytes, &spec, picture.width, begin, end, to,
                             x.input, plane);
    });
  };
  if (picture.channels == channels) {
    write(planar_spec(recipe, channels, channels, 0), first);
    return;
  }
  for (std::int64_t c = 0; c < channels; ++c)
    write(planar_spec(recipe, 1, 1, static_cast<std::size_t>(c)), first + c * plane);
}

Tensor to_nhwc(const Tensor& planes) {
  const auto channels = planes.shape[1], pixels = planes.shape[2] * planes.shape[3];
  Tensor out{{1, planes.shape[2], planes.shape[3], channels}, {}};
  out.data.resize(planes.data.size());
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t i = 0; i < pixels; ++i)
      out.data[static_cast<std::size_t>(i * channels + c)] =
          planes.data[static_cast<std::size_t>(c * pixels + i)];
  return out;
}

Tensor preprocess_at(const Image& photo, const Preprocess& recipe, const Placement& placement,
                     std::int64_t channels, Layout layout) {
  Tensor planes{{1, channels, placement.y.input, placement.x.input}, {}};
  planes.data.resize(
      static_cast<std::size_t>(base::element_count(planes.shape, ErrorCode::invalid_argument)));
  const bool to_grey = channels == 1 || recipe.order == Order::luma;
  const Picture luma = to_grey ? grey(photo) : Picture{};
  const PictureView source = to_grey ? PictureView{luma.width, luma.height, 1, luma.bytes.data()}
                                     : PictureView{photo.width, photo.height, 3, photo.rgb.data()};
  const Picture picture = resample(source, placement, recipe.resize);
  normalise(picture, recipe, placement, channels, planes.data.data());
  return layout == Layout::nchw ? planes : to_nhwc(planes);
}

void check_reduced(const ReducedImage& photo, const Preprocess& recipe) {
  check_image(photo.image);
  check_extents(photo.width, photo.height, ErrorCode::invalid_argument);
  const View& whole = photo.whole;
  if (!(0 <= whole.x0 && whole.x0 < whole.x1 && whole.x1 <= photo.image.width) ||
      !(0 <= whole.y0 && whole.y0 < whole.y1 && whole.y1 <= photo.image.height))
    throw Error(ErrorCode::invalid_argument, "the photo must lie within its reduced image");
  const bool reduced = photo.image.width != photo.width || photo.image.height != photo.height;
  if (reduced && recipe.resize != Preprocess::Resize::bilinear_antialias)
    throw Error(ErrorCode::invalid_argument,
                "a photo that was decoded at a reduced size can only be resized by "
                "bilinear_antialias");
}

}  // namespace
}  // namespace image

Preprocess Preprocess::imagenet() {
  return {};
}

Preprocess Preprocess::inception() {
  Preprocess recipe;
  recipe.mean = {0.5, 0.5, 0.5};
  recipe.std = {0.5, 0.5, 0.5};
  return recipe;
}

Preprocess Preprocess::caffe() {
  Preprocess recipe;
  recipe.order = Order::bgr;
  recipe.scale = 1;
  recipe.mean = {104, 117, 123};
  recipe.std = {1, 1, 1};
  recipe.geometry = Geometry::center_square;
  return recipe;
}

Preprocess Preprocess::raw() {
  Preprocess recipe;
  recipe.scale = 1;
  recipe.mean = {0, 0, 0};
  recipe.std = {1, 1, 1};
  recipe.geometry = Geometry::stretch;
  return recipe;
}

Tensor preprocess(const Image& photo, const Preprocess& recipe, std::int64_t channels,
                  std::int64_t height, std::int64_t width, Layout layout) {
  using namespace image;
  check_image(photo);
  check_recipe(recipe, channels);
  const Placement placement = place(photo.width, photo.height, recipe, width, height);
  return guarded([&] { return preprocess_at(photo, recipe, placement, channels, layout); });
}

Tensor preprocess(const ReducedImage& photo, const Preprocess& recipe, std::int64_t channels,
                  std::int64_t height, std::int64_t width, Layout layout) {
  using namespace image;
  check_reduced(photo, recipe);
  check_recipe(recipe, channels);
  const Placement placement =
      place_reduced(place(photo.width, photo.height, recipe, width, height), photo);
  return guarded([&] { return preprocess_at(photo.image, recipe, placement, channels, layout); });
}

}  // namespace fovea
