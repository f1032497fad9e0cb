#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "fovea/target.hpp"

namespace fovea::explain {

/// What a target means for one image: a function of the image's scores, and its gradient.
class Objective {
 public:
  using ClassAtRank = std::function<std::int64_t(std::int64_t)>;
  /// `classes`: scores per image. `sigmoid`: probabilities of classes on their own. Throws Error
  /// invalid_argument for a class out of range, or weights of another number.
  Objective(const Target& target, std::size_t classes, const ClassAtRank& class_at, bool sigmoid);

  double value(std::span<const float> scores) const;
  /// out[i] = d value / d scores[i].
  void gradient(std::span<const float> scores, std::span<float> out) const;

  /// The class whose score it is; -1 where it is no class's.
  std::int64_t class_index() const { return class_; }

 private:
  double plain_value(std::span<const float> scores) const;

  Target target_;
  std::int64_t class_ = -1;
  bool sigmoid_ = false;
};

}  // namespace fovea::explain
