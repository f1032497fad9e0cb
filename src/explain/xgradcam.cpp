// XGrad-CAM. R. Fu, Q. Hu, X. Dong, Y. Guo, Y. Gao, B. Li, "Axiom-based Grad-CAM: Towards Accurate
// Visualization and Explanation of CNNs", BMVC 2020, eq. 8. With g = dy / dA:
//
//   w_k = sum_p g A^k / sum_p A^k        L = ReLU(sum_k w_k A^k)
//
// The denominator is signed and has the grad-cam package's 1e-7: a channel whose sum is close to
// zero gets a huge weight, which the paper (for activations after a ReLU) does not meet.

#include "explain/combine.hpp"
#include "explain/feature_map.hpp"
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
  for (std::int64_t n = 0; n < context.batch; ++n) {
    auto weights = sum_over_positions(map, gradient.view(), n, [](float a, float g, std::int64_t) {
      return static_cast<double>(a) * g;
    });
    const auto sums = channel_sums(map, n);
    for (std::size_t c = 0; c < weights.size(); ++c) weights[c] /= sums[c] + 1e-7f;
    out.push_back({weighted_sum(map, n, weights)});
  }
  return out;
}

}  // namespace

template <>
Row<XGradCam> row<XGradCam>() {
  return {
      .info = {.title = "XGrad-CAM",
               .paper = "Fu et al. 2020, Axiom-based Grad-CAM: Towards Accurate Visualization and "
                        "Explanation of CNNs, eq. 8",
               .needs = "a spatial layer that the score depends on",
               .cost = "1 forward, 1 walk back from the score to the layer",
               .use = "as Grad-CAM, for layers whose gradient varies over positions"},
      .needs =
          [](const Layer& layer) {
            return Needs{.gradients = layer_gradient_needs(layer, engine::GradientReduce::none)};
          },
      .run = run,
      .scratch_bytes = layer_gradient_bytes};
}
template const Entry& entry<XGradCam>();

}  // namespace fovea::explain
