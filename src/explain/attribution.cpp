#include "explain/attribution.hpp"

#include <cmath>

#include "base/checked.hpp"
#include "explain/gradients.hpp"
#include "explain/masks.hpp"

namespace fovea::explain {
namespace {

template <class Join>
Evidence over_channels(const Context& context, Tensor attribution, Join join) {
  const auto steps = channel_steps(attribution.shape, context.extents);
  Tensor map{context.extents.empty() ? attribution.shape : context.extents,
             std::vector<float>(static_cast<std::size_t>(steps.positions), 0.f)};
  for (std::int64_t c = 0; c < steps.channels; ++c)
    for (std::int64_t p = 0; p < steps.positions; ++p) {
      auto& to = map.data[static_cast<std::size_t>(p)];
      to = join(to, attribution.data[static_cast<std::size_t>(c * steps.channel_step +
                                                              p * steps.position_step)]);
    }
  return {std::move(map), std::move(attribution)};
}

}  // namespace

Evidence by_magnitude(const Context& context, Tensor attribution) {
  return over_channels(context, std::move(attribution), [](float so_far, float v) {
    // NaN stays: it compares false with everything.
    return std::abs(v) <= so_far ? so_far : std::abs(v);
  });
}

Evidence by_sum(const Context& context, Tensor attribution) {
  return over_channels(context, std::move(attribution),
                       [](float so_far, float v) { return so_far + v; });
}

std::vector<Tensor> gradients_at_input(Context& context, engine::GradientRule rule) {
  return input_gradients(context, {.of_input = true, .rule = rule});
}

Needs input_gradient_needs(engine::GradientRule rule) {
  return {.gradients = {{.of_input = true, .rule = rule}}};
}

Tensor image_of(const Context& context, std::int64_t image) {
  const auto shape = image_shape(context);
  const auto own = part_of(context, context.image_input, image);
  return {{shape.begin(), shape.end()}, {own.begin(), own.end()}};
}

Tensor baseline_of(const Tensor* given, double value, const Shape& image) {
  if (given != nullptr) return *given;
  Tensor out{image, {}};
  out.data.assign(static_cast<std::size_t>(base::element_count(image)), static_cast<float>(value));
  return out;
}

}  // namespace fovea::explain
