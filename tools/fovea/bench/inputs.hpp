#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fovea/fovea.hpp"

namespace fovea::cli {

/// Different inputs to measure with, made beforehand. A normalised photo's like: about zero mean
/// and unit variance, structure at several scales. Zeros would be faster than anything real.
class Inputs {
 public:
  /// The same for a seed. Takes the memory of count + batch - 1 images: inputs share images, each
  /// starts with another one.
  Inputs(const Explainer& explainer, std::size_t count, unsigned seed);

  std::size_t size() const { return feeds_.size(); }
  /// Input i, counted round and round.
  const Feeds& operator[](std::size_t i) const { return feeds_[i % feeds_.size()]; }

 private:
  std::vector<std::vector<float>> values_;  // of one of the model's inputs
  std::vector<Feeds> feeds_;
};

}  // namespace fovea::cli
