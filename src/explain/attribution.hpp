#pragma once

#include <vector>

#include "explain/method.hpp"

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

/// The image without evidence, of extents `image`: the given tensor "baseline", else the option
/// "baseline" everywhere.
Tensor baseline_of(const Settings& settings, const Shape& image);
/// That of the context's images.
Tensor baseline_of(const Context& context);

}  // namespace fovea::explain
