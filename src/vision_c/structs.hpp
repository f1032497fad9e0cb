#pragma once

#include "c/structs.hpp"
#include "fovea_vision.h"

namespace fovea::c {

template <>
struct Struct<fovea_overlay_options> {
  using T = fovea_overlay_options;
  static constexpr const char* name = "fovea_overlay_options";
  static constexpr auto members = std::tuple(&T::struct_size, &T::alpha, &T::colormap,
                                             &T::opacity_by_value, &T::pale, &T::heatmap_only);
  static void fill(T& defaults) { defaults.alpha = 0.5; }
};

}  // namespace fovea::c
