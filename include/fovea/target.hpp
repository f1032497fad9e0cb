#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// One image's part of a named value of a run.
struct ImageValue {
  std::string name;
  Shape shape;  ///< without the images' extent
  std::span<const float> data;
};

/// A value that targets may read.
struct TargetValue {
  std::string name;       ///< empty: the scores
  Shape shape;            ///< of one image's part; -1: as much as the model selects by its data
  bool of_images = true;  ///< an extent in front of `shape` counts the images
};

/// Whose evidence to look for: a number made of an image's scores (logits, before a trailing
/// softmax or sigmoid), most often the score of one class, or of other values of the network, which
/// PrepareOptions::target_values names. The empty name is the scores'.
struct Target {
  /// The class at `rank` (0 is the best), for each image its own.
  struct Ranked {
    std::int64_t rank = 0;
  };
  struct Class {
    std::int64_t index = 0;
  };
  /// score(index) - score(minus).
  struct Difference {
    std::int64_t index = 0, minus = 0;
  };
  /// score(index) + log probability(index).
  struct Rest {
    std::int64_t index = 0;
  };
  /// sum_i factors[i] value[i], over all numbers that the value has of an image.
  struct Weights {
    std::vector<float> factors = {};
    std::string value = {};
  };
  /// Cosine of the value, read as an embedding, with another image's.
  struct Similarity {
    std::vector<float> embedding = {};
    std::string value = {};
  };
  /// sum_i factor[i] value_i[at_i], of one or several values.
  struct Sum {
    struct Term {
      std::string value = {};
      Shape at = {};  ///< the element, without the images' extent; negative counts from the end
      double factor = 1;
    };
    std::vector<Term> terms = {};
  };
  /// Anything else, by the caller's own code.
  struct Function {
    /// `of` gets these, in this order.
    std::vector<std::string> values = {};
    /// Returns the number. Where `gradients` is not empty, it holds one span per value, all zeros,
    /// for the number's derivatives. Called on the thread of the call that explains, for variants
    /// of the image too, so it has to depend on its arguments alone; what it throws reaches the
    /// caller.
    std::function<double(std::span<const ImageValue> values,
                         std::span<const std::span<float>> gradients)>
        of = {};
  };

  std::variant<Ranked, Class, Difference, Rest, Weights, Similarity, Sum, Function> of = Ranked{};
  bool probability = false;  ///< of the class (softmax, or sigmoid where classes are on their own)
  bool negated = false;      ///< minus the number: what speaks against it

  /// The class that scores highest, for each image its own.
  static Target top1() { return {Ranked{0}}; }
  static Target ranked(std::int64_t rank) { return {Ranked{rank}}; }
  /// One class by its index. Out of range is refused with Error invalid_argument.
  static Target class_index(std::int64_t index) { return {Class{index}}; }
  /// score(a) - score(b): why this class and not that.
  static Target difference(std::int64_t a, std::int64_t b) { return {Difference{a, b}}; }
  /// What ShapleyCAM's paper explains ("residual softmax").
  static Target rest(std::int64_t index) { return {Rest{index}}; }
  /// Any gradient over the scores, in row-major order, or over another value.
  static Target weighted(std::vector<float> factors, std::string value = {}) {
    return {Weights{std::move(factors), std::move(value)}};
  }
  /// The sum of one channel's scores over a region: for scores [images, channels, height, width] (a
  /// segmentation), `mask` [height, width] says how much each position counts.
  /// Throws Error invalid_argument for a channel out of range.
  static Target region(std::int64_t channel, std::int64_t channels,
                       const std::vector<float>& mask) {
    if (channel < 0 || channel >= channels)
      throw Error(ErrorCode::invalid_argument, "the region's channel is out of range");
    std::vector<float> factors(mask.size() * static_cast<std::size_t>(channels), 0.f);
    for (std::size_t i = 0; i < mask.size(); ++i)
      factors[static_cast<std::size_t>(channel) * mask.size() + i] = mask[i];
    return weighted(std::move(factors));
  }
  static Target similarity(std::vector<float> embedding, std::string value = {}) {
    return {Similarity{std::move(embedding), std::move(value)}};
  }
  /// One number of a named value: element("boxes", {3, 4}).
  static Target element(std::string value, Shape at) {
    return {Sum{{{std::move(value), std::move(at), 1}}}};
  }
  static Target sum(std::vector<Sum::Term> terms) { return {Sum{std::move(terms)}}; }

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
  /// Null where it is of another kind.
  template <class Kind>
  const Kind* as() const {
    return std::get_if<Kind>(&of);
  }
};

}  // namespace fovea
