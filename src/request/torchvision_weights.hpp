#pragma once

#include <array>
#include <span>
#include <string_view>

namespace fovea::request {

/// What torchvision does to a photo for one set of its classification weights.
struct TorchvisionWeights {
  std::string_view name;  ///< "ResNet50_Weights.IMAGENET1K_V2"
  bool is_default;        ///< "ResNet50_Weights.DEFAULT" means these
  int crop, resize;
  bool bicubic;  ///< else bilinear
  std::array<double, 3> mean = {0.485, 0.456, 0.406};
  std::array<double, 3> std = {0.229, 0.224, 0.225};
};

std::span<const TorchvisionWeights> torchvision_weights();

}  // namespace fovea::request
