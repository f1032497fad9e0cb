// Guided Grad-CAM. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
// Gradient-based Localization", ICCV 2017, section 3.2: guided backpropagation times the Grad-CAM
// map, resized to the input (bilinear, as in the paper; captum's default is the nearest cell):
//
//   a = guided gradient * resize(ReLU(sum_k alpha_k A^k))
//
// The map is the largest magnitude over channels.

#include "explain/attribution.hpp"
#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/masks.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"
#include "fovea/methods/gradients.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  auto guided = gradients_at_input(context, engine::GradientRule::guided);
  auto maps = entry<GradCam>().run(context);
  std::vector<Evidence> out;
  for (std::size_t n = 0; n < guided.size(); ++n) {
    Tensor& map = maps[n].map;
    relu(map);
    if (map.shape.size() != context.extents.size())
      throw Error(ErrorCode::invalid_argument,
                  "the layer's positions do not correspond to the input's",
                  {"", context.layer.name, ""});
    map = resized(map, context.extents);
    const auto steps = channel_steps(guided[n].shape, context.extents);
    for (std::int64_t c = 0; c < steps.channels; ++c)
      for (std::int64_t p = 0; p < steps.positions; ++p)
        guided[n]
            .data[static_cast<std::size_t>(c * steps.channel_step + p * steps.position_step)] *=
            map.data[static_cast<std::size_t>(p)];
    out.push_back(by_magnitude(context, std::move(guided[n])));
  }
  return out;
}

}  // namespace

template <>
Row<GuidedGradCam> row<GuidedGradCam>() {
  return {
      .info = {.title = "Guided Grad-CAM",
               .paper = "Selvaraju et al. 2017, Grad-CAM: Visual Explanations from Deep Networks "
                        "via Gradient-based Localization, section 3.2",
               .needs = "an input and a spatial layer that the score depends on",
               .cost = "1 forward, 1 walk back to the layer, 1 to the input",
               .use = "the fine detail of what Grad-CAM found",
               .kind = MapKind::input},
      .needs =
          [](const Layer& layer) {
            auto needs = input_gradient_needs(engine::GradientRule::guided);
            for (const auto& gradient :
                 layer_gradient_needs(layer, engine::GradientReduce::spatial_mean))
              needs.gradients.push_back(gradient);
            return needs;
          },
      .run = run,
      .scratch_bytes =
          [](const Context& context) {
            const Sizes s(context);
            return input_gradient_bytes(context) +
                   (s.images * s.positions + base::Size(2) * s.pixels) * kFloat;
          },
      .relu = false,
      .input_method_reads_layer = true};
}
template const Entry& entry<GuidedGradCam>();

}  // namespace fovea::explain
