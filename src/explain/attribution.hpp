#pragma once

#include <vector>

#include "explain/row.hpp"

/// From signed values at the input to a map over its positions.
namespace fovea::explain {

/// The largest magnitude over channels (Simonyan et al. 2014, section 3.1).
Evidence by_magnitude(const Context& context, Tensor attribution);

/// The sum over channels: what the position adds to the score.
Evidence by_sum(const Context& context, Tensor attribution);

/// The objective's gradients with respect to the images, under a rule.
std::vector<Tensor> gradients_at_input(Context& context, engine::GradientRule rule);

/// What an input method needs for that.
Needs input_gradient_needs(engine::GradientRule rule = engine::GradientRule::plain);

/// One image, without the images' extent.
Tensor image_of(const Context& context, std::int64_t image);

/// The image without evidence, of extents `image`: what is given, else the value everywhere.
Tensor baseline_of(const Tensor* given, double value, const Shape& image);
template <class M>
Tensor baseline_of(const Chosen<M>& method, const Shape& image) {
  return baseline_of(method.given(&M::given_baseline, image), method->baseline, image);
}
/// That of the context's images.
template <class M>
Tensor baseline_of(const Context& context, const Chosen<M>& method) {
  const auto shape = image_shape(context);
  return baseline_of(method, {shape.begin(), shape.end()});
}

}  // namespace fovea::explain
