#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "fovea/fovea.hpp"

namespace fovea::cli {

/// Different inputs to measure with, made beforehand. Zeros would be faster than anything real.
class Inputs {
 public:
  /// A normalised photo's like: about zero mean and unit variance, structure at several scales. The
  /// same for a seed. Takes the memory of count + batch - 1 images: inputs share images, each
  /// starts with another one.
  Inputs(const Explainer& explainer, std::size_t count, unsigned seed);
  /// Photos in turn, as tensors of one image each, for the only input.
  Inputs(const Explainer& explainer, std::span<const Tensor> photos);

  std::size_t size() const { return feeds_.size(); }
  /// Input i, counted round and round.
  const Feeds& operator[](std::size_t i) const { return feeds_[i % feeds_.size()]; }

 private:
  void share_out(const ValueInfo& input, std::size_t image);
  std::vector<std::vector<float>> values_;  // of one of the model's inputs
  std::vector<Feeds> feeds_;
};

}  // namespace fovea::cli
