#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fovea/export.hpp"
#include "fovea/target.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// One class of one image. `probability` is the softmax over the classes, or the sigmoid of the
/// logit where the model ends in one or the explainer was told `multi_label`, or the score itself
/// where scores are probabilities and no logits were found; NaN of a model's single score without a
/// sigmoid, and of what is made of probabilities and leaves 0 to 1.
struct Prediction {
  std::int64_t class_index = 0;
  float logit = 0;
  float probability = 0;
};

/// How a map becomes comparable: the Grad-CAM papers divide by the maximum, pytorch-grad-cam uses
/// min-max, `none` keeps the raw values.
enum class Normalize { max, minmax, none };

/// Wall time of each stage, milliseconds (0 where a stage did not run), and what it ran on.
struct Timings {
  double forward = 0;
  double backward = 0;
  double map = 0;
  int threads = 0;        ///< OpenMP threads of the call
  bool sleeping = false;  ///< fovea had waiting threads sleep when the call ended: `Waiting`
};

/// How the maps of several layers become one: each is normalised and resized first, the result is
/// normalised again. pytorch-grad-cam takes the mean, torch-cam the maximum, RefineCAM the product.
enum class Fuse { mean, max, product };

/// How the sum rule of a method came out: what its values should add up to, and what they do.
struct SumRule {
  /// LRP: the relevance at the start. DeepLIFT, Deep SHAP, Kernel SHAP: the score less the
  /// baselines' mean one.
  double expected = 0;
  double attributed = 0;   ///< the sum of the values at the layer or the input
  double biases = 0;       ///< LRP: what biases absorbed
  double stabilizers = 0;  ///< LRP: what the epsilons absorbed
  /// What is left unexplained, in shares of |expected|.
  double error = 0;
};

/// What the channels of a layer are to a target, for one image.
struct Channels {
  std::string layer;
  std::vector<float> features;  ///< the mean of each channel's map over its positions
  /// The derivative of the target with respect to each mean: the linear layer's weights where the
  /// head is pool + linear, else the gradient summed over positions (at this image).
  std::vector<float> weights;

  /// What channel k adds to the target, to first order: for a head of pool + linear, all of them
  /// add up to the logit less the bias.
  float contribution(std::size_t k) const { return weights[k] * features[k]; }
};

/// Positions [begin, end) along an axis.
struct AxisRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  friend bool operator==(const AxisRange&, const AxisRange&) = default;
};

/// Where the network looked, for one image and one target. Plain data.
struct Explanation {
  /// The method's map at the layer's grid ([h, w] or [d, h, w]), as in the paper; of several layers
  /// or of smoothed ones: what was fused, at the input's extents.
  Tensor feature_map;
  Tensor map;  ///< normalised and resized (bilinear, half-pixel) to the model input's extents
  /// Of methods that explain each number of the input: the signed values, in the input's shape
  /// without the images ([channels, h, w]); empty for others, and for those that hide positions
  /// with all their channels.
  Tensor attribution;
  std::string method;               ///< registered name
  std::string layer;                ///< name of the value whose map this is
  std::vector<std::string> layers;  ///< all of them, where several were fused
  Target target;                    ///< as it was asked for
  /// The class whose score the target is; of a ranked target, the one that it came to. None for
  /// other targets, and where scores lie at positions.
  std::optional<Prediction> prediction;
  double score = 0;  ///< the target's value: a logit, a probability, a difference, ...
  std::vector<Prediction> predictions;   ///< of this image, best first
  std::int64_t image = 0;                ///< index in the batch
  Normalize normalize = Normalize::max;  ///< of `map`
  Timings timings_ms;
  std::optional<SumRule> sum_rule;  ///< of methods that have one
  /// Of a target that is a place or a mask of a value with positions (a pixel, a box's row, a
  /// step): what of the layer's grid it can depend on at most, a range per axis of `feature_map`;
  /// elsewhere the gradient is 0. Empty of other targets, of several layers, of smoothed maps and
  /// of maps of the input.
  std::vector<AxisRange> receptive_field;
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
