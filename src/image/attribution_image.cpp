#include <algorithm>
#include <cmath>
#include <vector>

#include "image/check.hpp"

namespace fovea {
namespace {

std::uint8_t byte_of(double value) {
  return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
}

Image blank(std::int64_t width, std::int64_t height) {
  return {static_cast<int>(width), static_cast<int>(height),
          std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height))};
}

}  // namespace

float full_scale(const Tensor& map, double percentile) {
  if (!(percentile >= 0 && percentile <= 100))
    throw Error(ErrorCode::invalid_argument, "a percentile is from 0 to 100");
  return image::guarded([&] {
    std::vector<float> magnitudes;
    for (const float v : map.data)
      if (std::isfinite(v)) magnitudes.push_back(std::abs(v));
    if (magnitudes.empty()) return 0.0F;
    const auto last = static_cast<double>(magnitudes.size() - 1);
    const auto rank = static_cast<std::ptrdiff_t>(last * percentile / 100);
    std::nth_element(magnitudes.begin(), magnitudes.begin() + rank, magnitudes.end());
    const float found = magnitudes[static_cast<std::size_t>(rank)];
    return found > 0 ? found : *std::max_element(magnitudes.begin(), magnitudes.end());
  });
}

Image signed_heatmap(const Tensor& map) {
  image::check_map(map);
  return image::guarded([&] {
    Tensor scaled = map;
    const float full = full_scale(map);
    for (auto& v : scaled.data) v = full > 0 ? v / full : 0;
    return heatmap(scaled, Colormap::red_blue);
  });
}

Image attribution_image(const Tensor& attribution) {
  return image::guarded([&] {
    const auto& shape = attribution.shape;
    if (shape.size() != 3 || (shape[0] != 1 && shape[0] != 3))
      throw Error(
          ErrorCode::invalid_argument,
          "an attribution is drawn in colours where it is [1 or 3 channels, height, width]");
    image::check_extents(shape[2], shape[1], ErrorCode::invalid_argument);
    const auto pixels = static_cast<std::size_t>(shape[1] * shape[2]);
    if (attribution.data.size() != pixels * static_cast<std::size_t>(shape[0]))
      throw Error(ErrorCode::invalid_argument, "the attribution's data does not fill its extents");
    double sum = 0, squares = 0;
    for (const double v : attribution.data) sum += v;
    const double mean = sum / static_cast<double>(attribution.data.size());
    for (const double v : attribution.data) squares += (v - mean) * (v - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(attribution.data.size()));
    Image out = blank(shape[2], shape[1]);
    for (std::size_t c = 0; c < 3; ++c) {
      const auto* from = attribution.data.data() + (shape[0] == 3 ? c * pixels : 0);
      for (std::size_t i = 0; i < pixels; ++i) {
        const double share = (from[i] - mean) / deviation / 10;
        out.rgb[3 * i + c] = byte_of(0.5 + (std::isfinite(share) ? share : 0));
      }
    }
    return out;
  });
}

}  // namespace fovea
