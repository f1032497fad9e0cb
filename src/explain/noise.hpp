#pragma once

#include <functional>
#include <vector>

#include "explain/method.hpp"

/// Methods that average over noisy inputs.
namespace fovea::explain {

/// samples, noise, deviation, seed.
std::vector<MethodOption> noise_options(double samples, double noise, double deviation);
MethodTensor noise_tensor();

/// Runs the network on each noisy input: normal noise of the option "deviation", or, where that is
/// 0, of the share "noise" of the range of the image's values; the given tensor "noise" is added as
/// it is (as many samples as it holds). Only the first input gets noise. Returns how many samples
/// there were.
std::int64_t for_each_noisy(Context& context, const std::function<void(Context&)>& visit);

}  // namespace fovea::explain
