#include "drawn_map.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "captions.hpp"
#include "evidence.hpp"
#include "fovea/drawing.hpp"
#include "pictures.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr int kSmall = 64;     // the longer side of what is enlarged, at most
constexpr int kLegible = 256;  // and of what it becomes, at least

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

/// Where what was seen ends, in the photo, as seen_box has it: of an enlarged photo no pixel is
/// seen in part.
double between_pixels(double edge, int extent) {
  return 0 < edge && edge < extent ? std::ceil(edge - 0.5) : edge;
}

Rendering rendering_of(const std::string& name) {
  if (name == "signed") return Rendering::two_colours;
  return name == "heat" ? Rendering::heat : Rendering::automatic;
}

int steps_to_legible(std::int64_t width, std::int64_t height) {
  const auto longer = static_cast<int>(std::max(width, height));
  return longer > kSmall ? 1 : (kLegible + longer - 1) / longer;
}

}  // namespace

DrawnMap::DrawnMap(const Session& session, const Explanation& why, const std::string& rendering)
    : has_photo_(session.photo.has_value()) {
  const auto& request = session.request;
  auto drawn = fovea::coloured(request, why, rendering_of(rendering));
  auto& values = drawn.values;
  full_at_ = drawn.full_at;
  options_ = drawn.options;
  scale_ = {options_.colormap, drawn.low, drawn.high};
  nothing_ = !drawn.shows_something;

  if (session.photo) {
    const auto& [x0, y0, x1, y1] = session.photo->view;
    const auto& photo = session.photo->pixels;
    if (request.enlarge) times_ = steps_to_legible(photo.width, photo.height);
    shape_ = {photo.height, photo.width};
    width_ = times_ * photo.width;
    height_ = times_ * photo.height;
    const bool whole = times_ > 1 && seen_box(session.photo->view, photo.width, photo.height);
    const auto at = [&](double edge, int extent) {
      return times_ * (whole ? between_pixels(edge, extent) : edge);
    };
    options_.view =
        View{at(x0, photo.width), at(y0, photo.height), at(x1, photo.width), at(y1, photo.height)};
    values_ = std::move(values);
    return;
  }
  const auto& shape = shape_ = why.map.shape;
  values_ = resized(values, shape);
  if (shape.size() == 3) slices_.emplace(shape, first_maximum(values_));
  if (shape.size() != 2) return;
  if (request.enlarge) times_ = steps_to_legible(shape[1], shape[0]);
  width_ = times_ * static_cast<int>(shape[1]);
  height_ = times_ * static_cast<int>(shape[0]);
  if (times_ > 1)
    options_.view = View{0, 0, static_cast<double>(width_), static_cast<double>(height_)};
}

Image DrawnMap::heatmap() const {
  if (slices_) return fovea::heatmap(slices_->stacked(values_), options_.colormap);
  return options_.view ? fovea::heatmap(values_, *options_.view, width_, height_, options_.colormap)
                       : fovea::heatmap(values_, options_.colormap);
}

Image DrawnMap::overlay(Image backdrop) const {
  if (slices_) return fovea::overlay(std::move(backdrop), slices_->stacked(values_), options_);
  if (times_ > 1) backdrop = fovea::enlarged(backdrop, times_);
  auto out = fovea::overlay(std::move(backdrop), values_, options_);
  return has_photo_ ? draw_frame(std::move(out), *options_.view) : out;
}

Image DrawnMap::levels(int width, int height) const {
  const double across = static_cast<double>(width) / width_,
               down = static_cast<double>(height) / height_;
  View view{0, 0, static_cast<double>(width), static_cast<double>(height)};
  if (options_.view) {
    const auto& [x0, y0, x1, y1] = *options_.view;
    view = {across * x0, down * y0, across * x1, down * y1};
  }
  const auto values = map_on_photo(values_, view, width, height);
  const auto seen = seen_box(view, width, height);
  Image out{width, height, {}};
  out.rgb.reserve(3 * values.data.size());
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const float v = values.data[static_cast<std::size_t>(y * width + x)];
      const float known = std::isnan(v) ? 0 : v;
      const double share =
          is_signed() ? (std::clamp(known, -1.F, 1.F) + 1) / 2 : std::clamp(known, 0.F, 1.F);
      const bool looked = seen && seen->x <= x && x < seen->x + seen->width && seen->y <= y &&
                          y < seen->y + seen->height;
      out.rgb.push_back(static_cast<std::uint8_t>(std::lround(255 * share)));
      out.rgb.push_back(looked ? 255 : 0);
      out.rgb.push_back(0);
    }
  return out;
}

Image DrawnMap::plain(Image backdrop) const {
  if (times_ > 1) backdrop = fovea::enlarged(backdrop, times_);
  return has_photo_ ? draw_frame(std::move(backdrop), *options_.view) : backdrop;
}

Image DrawnMap::pages(Image picture) const {
  if (slices_) return slices_->sheet(picture);
  return picture;
}

Box DrawnMap::enlarged_box(const Box& box) const {
  const std::int64_t times = times_;
  return {times * box.x, times * box.y, times * box.width, times * box.height};
}

std::vector<const Tensor*> tensors_in_order(const Session& session) {
  std::vector<const Tensor*> out;
  for (const auto& input : session.model.inputs())
    if (const auto at = session.tensors.find(input.name); at != session.tensors.end())
      out.push_back(&at->second);
  return out;
}

Image backdrop(Session& session, const DrawnMap& map, std::int64_t image, bool last) {
  const auto& shape = map.shape();
  if (session.photo) {
    Image& photo = session.photo->pixels.image;
    return {photo.width, photo.height, last ? std::move(photo.rgb) : photo.rgb};
  }
  if (shape.size() == 2)
    for (const auto* given : tensors_in_order(session)) {
      const auto& tensor = *given;
      const auto extents = image_shape(tensor.shape);
      if (extents && extents->height == shape[0] && extents->width == shape[1] &&
          (tensor.shape.size() == 3 ? image == 0 : image < tensor.shape[0]))
        return drawn(tensor, *extents, image);
    }
  if (map.slices())
    for (const auto* tensor : tensors_in_order(session))
      if (auto picture = stacked_slices(*tensor, shape, image, *map.slices())) return *picture;
  throw Error(ErrorCode::invalid_argument,
              "--output and --html draw over images and volumes only, and the map is " +
                  shape_text(shape) + ": use --spectrogram (of sound), --map or --feature-map");
}

Image coloured(const Explanation& why) {
  if (why.attribution.data.empty())
    throw Error(ErrorCode::invalid_argument,
                "--rendering color needs a method that explains the input");
  return attribution_image(channels_first(why));
}

}  // namespace fovea::cli
