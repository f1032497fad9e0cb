#include "vision_c/images.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "c/guard.hpp"
#include "c/tensors.hpp"
#include "fovea/spelling.hpp"

namespace fovea::vision_c {
namespace {

constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;
constexpr std::int64_t kMostSide = 16384;

}  // namespace

void require_extents(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > kMostSide || height > kMostSide ||
      width * height > kMostPixels)
    c::refuse("an image of " + std::to_string(width) + " x " + std::to_string(height) +
              " pixels: 1 to 16384 a side and 2^26 in all are taken");
}

Image image_of(const fovea_image* image) {
  const auto& from = c::required(image, "image");
  require_extents(from.width, from.height);
  const auto size =
      3 * static_cast<std::size_t>(from.width) * static_cast<std::size_t>(from.height);
  const auto* pixels = &c::required(from.rgb, "the image's rgb");
  if (from.capacity < size) c::refuse("the image's capacity is less than its extents need");
  return {from.width, from.height, {pixels, pixels + size}};
}

fovea_status give(fovea_error* error, fovea_image* to, const Image& image) {
  c::required(to, "image");
  to->size = image.rgb.size();
  to->width = image.width;
  to->height = image.height;
  if (to->rgb == nullptr) return FOVEA_OK;
  if (to->capacity < image.rgb.size()) {
    c::tell(error, FOVEA_BUFFER_TOO_SMALL, "the buffer is smaller than the image");
    return FOVEA_BUFFER_TOO_SMALL;
  }
  std::copy(image.rgb.begin(), image.rgb.end(), to->rgb);
  return FOVEA_OK;
}

Tensor map_of(const fovea_tensor* map) {
  const auto view = c::view_of(c::required(map, "map"), "map");
  if (view.shape.size() != 2) c::refuse("a map has two extents: rows and columns");
  return {view.shape, {view.data.begin(), view.data.end()}};
}

View view_or_all(const fovea_view* view, std::int64_t width, std::int64_t height) {
  if (view == nullptr) return {0, 0, static_cast<double>(width), static_cast<double>(height)};
  const View out{view->x0, view->y0, view->x1, view->y1};
  for (const double edge : {out.x0, out.y0, out.x1, out.y1})
    if (!std::isfinite(edge)) c::refuse("an edge of the view is not finite");
  if (!(out.x0 < out.x1) || !(out.y0 < out.y1)) c::refuse("the view is empty");
  return out;
}

Colormap colormap_of(const std::string& name) {
  static const std::vector<std::pair<std::string, Colormap>> all{
      {"jet", Colormap::jet},         {"turbo", Colormap::turbo},
      {"viridis", Colormap::viridis}, {"inferno", Colormap::inferno},
      {"magma", Colormap::magma},     {"plasma", Colormap::plasma},
      {"cividis", Colormap::cividis}, {"red-blue", Colormap::red_blue}};
  std::vector<std::string> known;
  for (const auto& [other, colormap] : all) {
    if (other == name) return colormap;
    known.push_back(other);
  }
  c::refuse("there is no colormap '" + name + "'" + did_you_mean(known, name));
}

}  // namespace fovea::vision_c
