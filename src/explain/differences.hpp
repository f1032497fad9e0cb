#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "explain/row.hpp"

/// DeepLIFT's multipliers: what each value of the image adds to the score's difference to a
/// reference.
namespace fovea::explain {

/// The method's background, [images, image...].
template <class M>
const Tensor& background_of(const Chosen<M>& method, std::span<const std::int64_t> image) {
  Shape shape{-1};
  shape.insert(shape.end(), image.begin(), image.end());
  return method.required(&M::background, shape);
}

/// A backward pass to the input under the rescale rule, and the reference runs that it reads.
Needs difference_needs();

/// Multiplier times difference, the mean over the images of Context::background; with the sum rule.
/// A target that is no linear function of the scores passes its mean gradient on the straight way
/// between the two runs' scores, so that its own differences add up as well.
std::vector<Evidence> mean_difference(Context& context);
base::Size mean_difference_bytes(const Context& context);

/// How far `attributed` is from `expected`.
SumRule difference_rule(double expected, double attributed);

}  // namespace fovea::explain
