#include "pictures.hpp"

#include <algorithm>
#include <cmath>

#include "feeds.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

// Image `n` of a batch as a picture: grey levels or colours from the lowest value to the highest.
Image drawn(const Tensor& tensor, const ImageShape& shape, std::int64_t n) {
  const auto pixels = static_cast<std::size_t>(shape.height * shape.width);
  const auto channels = static_cast<std::size_t>(shape.channels);
  const auto* values = tensor.data.data() + static_cast<std::size_t>(n) * channels * pixels;
  float low = 0, high = 0;
  bool any = false;
  for (std::size_t i = 0; i < channels * pixels; ++i) {
    if (!std::isfinite(values[i])) continue;
    low = any ? std::min(low, values[i]) : values[i];
    high = any ? std::max(high, values[i]) : values[i];
    any = true;
  }
  const double scale = high > low ? 255.0 / (static_cast<double>(high) - low) : 0.0;
  Image image{static_cast<int>(shape.width), static_cast<int>(shape.height), {}};
  image.rgb.resize(3 * pixels);
  for (std::size_t p = 0; p < pixels; ++p)
    for (std::size_t c = 0; c < 3; ++c) {
      const auto from = channels == 1 ? 0 : c;
      const auto value =
          values[shape.layout == Layout::nchw ? from * pixels + p : p * channels + from];
      const double level = std::isfinite(value) ? (static_cast<double>(value) - low) * scale : 0.0;
      image.rgb[3 * p + c] = static_cast<std::uint8_t>(std::lround(level));
    }
  return image;
}

}  // namespace

Tensor final_map(const Session& session, const Explanation& why, Normalize how) {
  if (!session.photo)
    return how == why.normalize ? why.map
                                : resized(normalized(why.feature_map, how), why.map.shape);
  const auto& photo = *session.photo;
  return map_on_photo(normalized(why.feature_map, how), photo.view, photo.image.width,
                      photo.image.height);
}

Image backdrop(const Session& session, const Tensor& map, std::int64_t image) {
  if (session.photo) return session.photo->image;
  if (map.shape.size() == 2)
    for (const auto& [name, tensor] : session.tensors) {
      const auto shape = image_shape(tensor.shape);
      if (shape && shape->height == map.shape[0] && shape->width == map.shape[1] &&
          image < tensor.shape[0])
        return drawn(tensor, *shape, image);
    }
  throw Error(ErrorCode::invalid_argument, "--output draws over images only, and the map is " +
                                               shape_text(map.shape) +
                                               ": use --map or --feature-map");
}

std::optional<Shape> max_at(const Tensor& map) {
  std::size_t best = 0;
  bool any = false;
  for (std::size_t i = 0; i < map.data.size(); ++i) {
    if (std::isnan(map.data[i]) || map.data[i] == 0) continue;
    if (!any || map.data[i] > map.data[best]) best = i;
    any = true;
  }
  if (!any) return std::nullopt;
  Shape index(map.shape.size());
  auto rest = static_cast<std::int64_t>(best);
  for (std::size_t d = map.shape.size(); d-- > 0; rest /= map.shape[d])
    index[d] = rest % map.shape[d];
  return index;
}

void stack(Tensor& maps, const Tensor& map) {
  if (maps.shape.empty()) {
    maps.shape = {0};
    maps.shape.insert(maps.shape.end(), map.shape.begin(), map.shape.end());
  }
  ++maps.shape.front();
  maps.data.insert(maps.data.end(), map.data.begin(), map.data.end());
}

Tensor unstacked(Tensor maps, std::int64_t images, std::int64_t targets) {
  Shape shape;
  if (images > 1) shape.push_back(images);
  if (targets > 1) shape.push_back(targets);
  shape.insert(shape.end(), maps.shape.begin() + 1, maps.shape.end());
  maps.shape = std::move(shape);
  return maps;
}

}  // namespace fovea::cli
