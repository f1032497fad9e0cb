// Grad-CAM element-wise: the published grad-cam package's GradCAMElementWise; no paper.
//
//   L = sum_k ReLU(dy / dA^k * A^k)

#include "explain/combine.hpp"
#include "explain/gradients.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  const auto gradient = layer_gradient(context);
  const auto map = feature_map(context);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n)
    out.push_back({sum_over_channels(map, gradient.view(), n,
                                     [](float a, float g) { return std::max(a * g, 0.f); })});
  return out;
}

}  // namespace

template <>
Row<GradCamElementwise> row<GradCamElementwise>() {
  return {
      .info =
          {.title = "Grad-CAM element-wise",
           .paper = "pytorch-grad-cam's GradCAMElementWise (no paper)",
           .needs = "a spatial layer that the score depends on",
           .cost = "1 forward, 1 walk back from the score to the layer",
           .use =
               "everything that adds to the score, with nothing that speaks against it taken off"},
      .needs =
          [](const Layer& layer) {
            return Needs{.gradients = layer_gradient_needs(layer, engine::GradientReduce::none)};
          },
      .run = run,
      .scratch_bytes = layer_gradient_bytes};
}
template const Entry& entry<GradCamElementwise>();

}  // namespace fovea::explain
