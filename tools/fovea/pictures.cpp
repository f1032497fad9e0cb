#include "pictures.hpp"

#include <cmath>
#include <utility>

#include "fovea/image.hpp"

namespace fovea::cli {

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
