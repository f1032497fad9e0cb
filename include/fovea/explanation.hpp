#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fovea/export.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// One class of one image. `probability` is the softmax over the classes, or the sigmoid of the
/// logit where the model ends in one or the explainer was told `multi_label`.
struct Prediction {
  std::int64_t class_index = 0;
  float logit = 0;
  float probability = 0;
};

/// How a map becomes comparable: the Grad-CAM papers divide by the maximum, pytorch-grad-cam uses
/// min-max, `none` keeps the raw values.
enum class Normalize { max, minmax, none };

/// Wall time of each stage, milliseconds; 0 where a stage did not run.
struct Timings {
  double forward = 0;
  double backward = 0;
  double map = 0;
};

/// Where the network looked, for one image and one target. Plain data.
struct Explanation {
  Tensor
      feature_map;  ///< the method's map at the layer's grid ([h, w] or [d, h, w]), as in the paper
  Tensor map;       ///< normalised and resized (bilinear, half-pixel) to the model input's extents
  std::string method;  ///< registered name
  std::string layer;   ///< name of the value whose map this is
  Prediction target;
  std::vector<Prediction> predictions;  ///< of this image, best first
  std::int64_t image = 0;               ///< index in the batch
  Normalize normalize = Normalize::max;
  Timings timings_ms;
  std::vector<std::string> warnings;  ///< "the map is zero everywhere" and the like
};

/// The map normalised as asked, at the same extents: `max` divides by the maximum (negative values
/// become 0), `minmax` maps to 0..1, `none` copies. A constant or all-zero map becomes 0; NaN
/// stays.
FOVEA_API Tensor normalized(const Tensor& map, Normalize how);

/// Bilinear with half-pixel centres and clamped edges, over the last two extents (trilinear for
/// [d, h, w]). `extents` has as many entries as the map.
FOVEA_API Tensor resized(const Tensor& map, const Shape& extents);

}  // namespace fovea
