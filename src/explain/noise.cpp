#include "explain/noise.hpp"

#include <algorithm>

#include "explain/gradients.hpp"
#include "explain/random.hpp"

namespace fovea::explain {

Shape noise_shape(const Context& context) {
  Shape shape = {-1};
  const auto& images = image_input(context).shape;
  shape.insert(shape.end(), images.begin(), images.end());
  return shape;
}

void for_each_noisy(Context& context, const Noise& noise,
                    const std::function<void(Context&)>& visit) {
  const Tensor& clean = image_input(context);
  const auto images = static_cast<std::size_t>(context.batch);
  const auto size = clean.data.size() / images;
  std::vector<double> deviations(images, noise.deviation);
  for (std::size_t n = 0; n < images; ++n) {
    if (deviations[n] != 0) continue;
    const auto begin = clean.data.begin() + static_cast<std::ptrdiff_t>(n * size);
    const auto [low, high] = std::minmax_element(begin, begin + static_cast<std::ptrdiff_t>(size));
    deviations[n] = noise.share * (static_cast<double>(*high) - *low);
  }
  std::vector<Tensor> inputs(context.inputs.begin(), context.inputs.end());
  Random random(noise.seed);
  Rerun rerun(context);
  for (std::int64_t i = 0; i < noise.samples; ++i) {
    for (std::size_t n = 0; n < images; ++n)
      for (std::size_t e = 0; e < size; ++e) {
        const auto at = n * size + e;
        const float added =
            noise.given != nullptr
                ? noise.given->data[static_cast<std::size_t>(i) * clean.data.size() + at]
                : static_cast<float>(deviations[n] * random.normal());
        inputs[context.image_input].data[at] = clean.data[at] + added;
      }
    visit(rerun.forward(inputs));
  }
}

}  // namespace fovea::explain
