#pragma once

#include <cstdint>

namespace fovea {

/// Whose evidence to look for: the score of one class, a logit (before a trailing softmax or
/// sigmoid).
struct Target {
  enum class Kind { ranked, class_index };
  Kind kind = Kind::ranked;
  std::int64_t value = 0;  ///< rank from 0, or the class

  /// The class that scores highest, for each image its own.
  static Target top1() { return {Kind::ranked, 0}; }
  /// The class at `rank` (0 is the best), for each image its own.
  static Target ranked(std::int64_t rank) { return {Kind::ranked, rank}; }
  /// One class by its index. Out of range is refused with Error invalid_argument.
  static Target class_index(std::int64_t index) { return {Kind::class_index, index}; }
};

}  // namespace fovea
