#pragma once

#include "demo/scene.hpp"
#include "fovea/localization.hpp"
#include "fovea/tensor.hpp"

namespace fovea::testing_support {

/// Seeds that are held out: training draws from demo::kFirstTrainingSeed on.
inline constexpr std::uint64_t kFirstSeed = 1;
inline constexpr std::uint64_t kScenes = 200;

/// As the models' "fovea.preprocess" says: RGB to -1..1.
inline Tensor input_of(const demo::Scene& scene) {
  Tensor out{{1, 3, scene.height, scene.width}, {}};
  out.data.resize(scene.rgb.size());
  const auto pixels = static_cast<std::size_t>(scene.width * scene.height);
  for (std::size_t p = 0; p < pixels; ++p)
    for (std::size_t c = 0; c < 3; ++c)
      out.data[c * pixels + p] = (static_cast<float>(scene.rgb[p * 3 + c]) / 255 - 0.5f) / 0.5f;
  return out;
}

inline Box box_of(const demo::Box& box) {
  return {box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0};
}

}  // namespace fovea::testing_support
