#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

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

/// The attribution of a volume's voxels summed over channels, or the map.
Tensor signed_volume(const Explanation& why) {
  const auto& a = why.attribution;
  if (a.data.empty() || a.shape.size() != 4) return why.map;
  Tensor sum{{a.shape.begin() + 1, a.shape.end()}, {}};
  const auto voxels = static_cast<std::size_t>(a.shape[1] * a.shape[2] * a.shape[3]);
  sum.data.resize(voxels);
  for (std::size_t i = 0; i < a.data.size(); ++i) sum.data[i % voxels] += a.data[i];
  return sum;
}

// Index of the first maximum, an entry per extent; none for a map that is zero everywhere.
std::optional<Shape> first_maximum(const Tensor& map) {
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

}  // namespace

FinalMap::FinalMap(const Session& session, const Explanation& why, Normalize how) {
  if (session.photo) {
    const auto& photo = *session.photo;
    shape_ = {photo.pixels.height, photo.pixels.width};
    map_ = normalized(why.feature_map, how);
    view_ = photo.view;
    return;
  }
  map_ = how == why.normalize ? why.map : resized(normalized(why.feature_map, how), why.map.shape);
  shape_ = map_.shape;
  if (shape_.size() == 3) slices_.emplace(shape_, first_maximum(map_));
}

void FinalMap::show_one_slice() {
  if (slices_) slices_.emplace(shape_, first_maximum(map_), 1);
}

Tensor FinalMap::tensor() const {
  return view_ ? map_on_photo(map_, *view_, width(), height()) : map_;
}

std::optional<Shape> FinalMap::max_at() const {
  if (!view_) return first_maximum(map_);
  const auto peak = peak_on_photo(map_, *view_, width(), height());
  if (!peak) return std::nullopt;
  return Shape{peak->row, peak->column};
}

Image FinalMap::heatmap(Colormap colormap) const {
  if (slices_) return slices_->sheet(fovea::heatmap(slices_->stacked(map_), colormap));
  return view_ ? fovea::heatmap(map_, *view_, width(), height(), colormap)
               : fovea::heatmap(map_, colormap);
}

Image FinalMap::overlay(Image backdrop, OverlayOptions options) const {
  if (slices_)
    return slices_->sheet(fovea::overlay(std::move(backdrop), slices_->stacked(map_), options));
  options.view = view_;
  return fovea::overlay(std::move(backdrop), map_, options);
}

Image backdrop(Session& session, const FinalMap& map, std::int64_t image, bool last) {
  const auto& shape = map.shape();
  if (session.photo) {
    Image& photo = session.photo->pixels.image;
    return {photo.width, photo.height, last ? std::move(photo.rgb) : photo.rgb};
  }
  if (shape.size() == 2)
    for (const auto& [name, tensor] : session.tensors) {
      const auto extents = image_shape(tensor.shape);
      if (extents && extents->height == shape[0] && extents->width == shape[1] &&
          image < tensor.shape[0])
        return drawn(tensor, *extents, image);
    }
  if (map.slices())
    for (const auto& [name, tensor] : session.tensors)
      if (auto picture = stacked_slices(tensor, shape, image, *map.slices())) return *picture;
  throw Error(ErrorCode::invalid_argument,
              "--output draws over images and volumes only, and the map is " + shape_text(shape) +
                  ": use --map or --feature-map");
}

Image rendered(const Explanation& why, const std::string& rendering, const FinalMap& map) {
  const auto& a = why.attribution;
  if (rendering == "color") {
    if (a.data.empty())
      throw Error(ErrorCode::invalid_argument,
                  "--rendering color needs a method that explains the input");
    return attribution_image(a);
  }
  if (map.slices())
    return map.slices()->sheet(signed_heatmap(map.slices()->stacked(signed_volume(why))));
  if (a.data.empty() || a.shape.size() != 3) return signed_heatmap(why.map);
  Tensor sum{{a.shape[1], a.shape[2]}, {}};
  const auto pixels = static_cast<std::size_t>(a.shape[1] * a.shape[2]);
  sum.data.resize(pixels);
  for (std::size_t i = 0; i < a.data.size(); ++i) sum.data[i % pixels] += a.data[i];
  return signed_heatmap(sum);
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
