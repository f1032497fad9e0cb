// LayerCAM. P.-T. Jiang, C.-B. Zhang, Q. Hou, M.-M. Cheng, Y. Wei, "LayerCAM: Exploring
// Hierarchical Class Activation Maps for Localization", IEEE TIP 2021, eq. 6 to 8:
//
//   L = ReLU(sum_k ReLU(dy / dA^k) * A^k)
//
// torch-cam scales each layer's map by tanh before several are fused; here they are normalised as
// any others.

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
                                     [](float a, float g) { return std::max(g, 0.f) * a; })});
  return out;
}

}  // namespace

template <>
Row<LayerCam> row<LayerCam>() {
  return {
      .info = {.title = "LayerCAM",
               .paper = "Jiang et al. 2021, LayerCAM: Exploring Hierarchical Class Activation Maps "
                        "for Localization, eq. 6 to 8",
               .needs = "a spatial layer that the score depends on",
               .cost = "1 forward, 1 walk back from the score to the layer",
               .use = "early layers, fused with late ones, for fine detail"},
      .needs =
          [](const Layer& layer) {
            return Needs{.gradients = layer_gradient_needs(layer, engine::GradientReduce::none)};
          },
      .run = run,
      .scratch_bytes = layer_gradient_bytes};
}
template const Entry& entry<LayerCam>();

}  // namespace fovea::explain
