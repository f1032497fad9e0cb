#include "fovea/drawing.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace fovea {
namespace {

/// The attribution summed over channels, or the map.
Tensor signed_values(const Explanation& why) {
  const auto positions = why.feature_map.data.size();
  if (why.attribution.data.empty() || why.attribution.data.size() % positions != 0)
    return why.feature_map;
  const auto attribution = channels_first(why);
  Tensor sum{why.feature_map.shape, std::vector<float>(positions)};
  for (std::size_t i = 0; i < attribution.data.size(); ++i)
    sum.data[i % positions] += attribution.data[i];
  return sum;
}

/// The lowest and the highest finite value of the map.
std::pair<double, double> range_of(const Tensor& map) {
  double low = 0, high = 0;
  bool any = false;
  for (const float v : map.data) {
    if (!std::isfinite(v)) continue;
    low = any ? std::min<double>(low, v) : v;
    high = any ? std::max<double>(high, v) : v;
    any = true;
  }
  return {low, high};
}

}  // namespace

Tensor channels_first(const Explanation& why) {
  auto out = why.attribution;
  const auto& extents = why.feature_map.shape;
  const bool last = out.shape.size() == extents.size() + 1 &&
                    std::equal(extents.begin(), extents.end(), out.shape.begin()) &&
                    !std::equal(extents.begin(), extents.end(), out.shape.begin() + 1);
  if (!last) return out;
  const auto channels = static_cast<std::size_t>(out.shape.back());
  const auto positions = out.data.size() / channels;
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t p = 0; p < positions; ++p)
      out.data[c * positions + p] = why.attribution.data[p * channels + c];
  std::rotate(out.shape.begin(), out.shape.end() - 1, out.shape.end());
  return out;
}

Coloured coloured(const Request& request, const Explanation& why, Rendering rendering) {
  // Where the lowest value says nothing, 0 is no middle.
  const bool pixels = !why.attribution.data.empty() && why.normalize != Normalize::minmax;
  const bool two_colours = rendering == Rendering::two_colours ||
                           (rendering != Rendering::heat && (pixels || request.keep_sign));
  Coloured out;
  auto& values = out.values;
  values = rendering == Rendering::two_colours ? signed_values(why) : why.feature_map;
  if (pixels || two_colours) {
    const float full = full_scale(values, pixels ? request.percentile : 100);
    if (pixels) out.full_at = full;
    out.low = two_colours ? -full : 0;
    out.high = full;
    for (auto& v : values.data) v = full > 0 ? v / full : 0;
  } else {
    values = normalized(values, why.normalize == Normalize::none ? Normalize::max : why.normalize);
    const auto [low, high] = range_of(why.feature_map);
    out.low = why.normalize == Normalize::minmax ? low : 0;
    out.high = std::max(high, out.low);
  }
  out.shows_something = std::any_of(values.data.begin(), values.data.end(),
                                    [&](float v) { return two_colours ? v != 0 : v > 0; });
  auto& options = out.options;
  options.alpha = out.shows_something ? request.alpha : 0;
  options.colormap = two_colours ? Colormap::red_blue : request.colormap;
  options.by_value = two_colours || request.opacity_by_value;
  options.pale = two_colours || !out.shows_something;
  return out;
}

Image drawn_over(Image photo, const Coloured& map, const View& view) {
  auto options = map.options;
  options.view = view;
  return draw_frame(overlay(std::move(photo), map.values, options), view);
}

}  // namespace fovea
