#include "explain/noise.hpp"

#include <algorithm>

#include "explain/gradients.hpp"
#include "explain/random.hpp"

namespace fovea::explain {

std::vector<MethodOption> noise_options(double samples, double noise, double deviation) {
  return {
      {.name = "samples",
       .value = samples,
       .least = 1,
       .most = 100000,
       .whole = true,
       .help = "noisy inputs"},
      {.name = "noise",
       .value = noise,
       .least = 0,
       .most = 10,
       .help = "the noise's deviation as a share of the range of the image's values"},
      {.name = "deviation",
       .value = deviation,
       .least = 0,
       .most = 1e6,
       .help = "the noise's deviation in the input's units; 0, or where only `noise` is given: as "
               "that says"},
      seed_option()};
}

MethodTensor noise_tensor() {
  return {"noise", "[samples, the input's extents]", "what is added to the images, as it is"};
}

std::int64_t for_each_noisy(Context& context, const std::function<void(Context&)>& visit) {
  const Tensor& clean = picture(context);
  Shape shape = {-1};
  shape.insert(shape.end(), clean.shape.begin(), clean.shape.end());
  const auto* given = context.settings.given("noise", shape);
  const auto samples = context.settings.samples(given);
  const auto images = static_cast<std::size_t>(context.batch);
  const auto size = clean.data.size() / images;
  const auto& settings = context.settings;
  const bool relative = settings.is_named("noise") && !settings.is_named("deviation");
  std::vector<double> deviations(images, relative ? 0 : settings.number("deviation"));
  for (std::size_t n = 0; n < images; ++n) {
    if (deviations[n] != 0) continue;
    const auto begin = clean.data.begin() + static_cast<std::ptrdiff_t>(n * size);
    const auto [low, high] = std::minmax_element(begin, begin + static_cast<std::ptrdiff_t>(size));
    deviations[n] = context.settings.number("noise") * (static_cast<double>(*high) - *low);
  }
  std::vector<Tensor> inputs(context.inputs.begin(), context.inputs.end());
  Random random(context.settings);
  Rerun rerun(context);
  for (std::int64_t i = 0; i < samples; ++i) {
    for (std::size_t n = 0; n < images; ++n)
      for (std::size_t e = 0; e < size; ++e) {
        const auto at = n * size + e;
        const float added = given != nullptr
                                ? given->data[static_cast<std::size_t>(i) * clean.data.size() + at]
                                : static_cast<float>(deviations[n] * random.normal());
        inputs[context.picture].data[at] = clean.data[at] + added;
      }
    visit(rerun.forward(inputs));
  }
  return samples;
}

}  // namespace fovea::explain
