#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "fovea/error.hpp"

namespace fovea {

/// Whose evidence to look for: a function of an image's scores (logits, before a trailing softmax
/// or sigmoid). Most often the score of one class.
struct Target {
  enum class Kind { ranked, class_index, difference, rest, weights, similarity };
  Kind kind = Kind::ranked;
  std::int64_t value = 0;    ///< rank from 0, or the class
  std::int64_t other = 0;    ///< of a difference: the class that is subtracted
  bool probability = false;  ///< of the class (softmax, or sigmoid where classes are on their own)
  bool negated = false;      ///< minus the score: what speaks against it
  /// One entry per score of an image: the factors of a weighted sum, or the other image's
  /// embedding.
  std::vector<float> weights = {};

  /// The class that scores highest, for each image its own.
  static Target top1() { return {Kind::ranked, 0}; }
  /// The class at `rank` (0 is the best), for each image its own.
  static Target ranked(std::int64_t rank) { return {Kind::ranked, rank}; }
  /// One class by its index. Out of range is refused with Error invalid_argument.
  static Target class_index(std::int64_t index) { return {Kind::class_index, index}; }
  /// score(a) - score(b): why this class and not that.
  static Target difference(std::int64_t a, std::int64_t b) { return {Kind::difference, a, b}; }
  /// score(class) + log probability(class): what ShapleyCAM's paper explains ("residual softmax").
  static Target rest(std::int64_t index) { return {Kind::rest, index}; }
  /// sum_i weights[i] scores[i], over all of an image's scores in row-major order: any gradient
  /// over the outputs.
  static Target weighted(std::vector<float> weights) {
    return {Kind::weights, 0, 0, false, false, std::move(weights)};
  }
  /// The sum of one channel's scores over a region: for scores [images, channels, height, width] (a
  /// segmentation), `mask` [height, width] says how much each position counts.
  /// Throws Error invalid_argument for a channel out of range.
  static Target region(std::int64_t channel, std::int64_t channels,
                       const std::vector<float>& mask) {
    if (channel < 0 || channel >= channels)
      throw Error(ErrorCode::invalid_argument, "the region's channel is out of range");
    std::vector<float> weights(mask.size() * static_cast<std::size_t>(channels), 0.f);
    for (std::size_t i = 0; i < mask.size(); ++i)
      weights[static_cast<std::size_t>(channel) * mask.size() + i] = mask[i];
    return weighted(std::move(weights));
  }
  /// Cosine of the scores, read as an embedding, with another image's.
  static Target similarity(std::vector<float> embedding) {
    return {Kind::similarity, 0, 0, false, false, std::move(embedding)};
  }

  /// The same, of the class's probability in place of its logit; for `ranked` and `class_index`.
  Target of_probability() const {
    Target out = *this;
    out.probability = true;
    return out;
  }
  /// Selvaraju et al. 2017, section 3.3: the regions that speak against the target.
  Target counterfactual() const {
    Target out = *this;
    out.negated = !out.negated;
    return out;
  }
};

}  // namespace fovea
