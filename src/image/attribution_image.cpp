#include <algorithm>
#include <cmath>
#include <vector>

#include "image/check.hpp"

namespace fovea {
namespace {

std::uint8_t byte_of(double value) {
  return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
}

/// The magnitude that one value in a hundred exceeds; 0 where nothing is finite and not zero.
float full_colour(const std::vector<float>& values) {
  std::vector<float> magnitudes;
  for (const float v : values)
    if (std::isfinite(v)) magnitudes.push_back(std::abs(v));
  if (magnitudes.empty()) return 0;
  const auto rank = static_cast<std::ptrdiff_t>((magnitudes.size() - 1) * 99 / 100);
  std::nth_element(magnitudes.begin(), magnitudes.begin() + rank, magnitudes.end());
  const float found = magnitudes[static_cast<std::size_t>(rank)];
  return found > 0 ? found : *std::max_element(magnitudes.begin(), magnitudes.end());
}

Image blank(std::int64_t width, std::int64_t height) {
  return {static_cast<int>(width), static_cast<int>(height),
          std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height))};
}

}  // namespace

Image signed_heatmap(const Tensor& map) {
  return image::guarded([&] {
    image::check_map(map);
    Image out = blank(map.shape[1], map.shape[0]);
    const float full = full_colour(map.data);
    for (std::size_t i = 0; i < map.data.size(); ++i) {
      const float v = map.data[i];
      const double share = full > 0 && !std::isnan(v) ? std::clamp<double>(v / full, -1, 1) : 0;
      const auto faded = byte_of(1 - std::abs(share));
      out.rgb[3 * i] = share < 0 ? faded : 255;
      out.rgb[3 * i + 1] = faded;
      out.rgb[3 * i + 2] = share > 0 ? faded : 255;
    }
    return out;
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
