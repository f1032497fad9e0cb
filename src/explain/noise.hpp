#pragma once

#include <cstdint>
#include <functional>

#include "explain/row.hpp"

/// Methods that average over noisy inputs.
namespace fovea::explain {

/// What is added to the images.
struct Noise {
  std::int64_t samples;
  double share;      ///< of the range of an image's values: the deviation where `deviation` is 0
  double deviation;  ///< in the input's units
  std::int64_t seed;
  const Tensor* given;  ///< [samples, images...], as it is; null: normal noise
};

/// The extents that given noise must have.
Shape noise_shape(const Context& context);

/// As the method's options say.
template <class M>
Noise noise_of(const Context& context, const Chosen<M>& method) {
  const auto* given = method.given(&M::given_noise, noise_shape(context));
  return {method.rows(&M::samples, given), method->noise, method->deviation, method->seed, given};
}

/// Runs the network on each noisy input. Only the image gets noise.
void for_each_noisy(Context& context, const Noise& noise,
                    const std::function<void(Context&)>& visit);

}  // namespace fovea::explain
