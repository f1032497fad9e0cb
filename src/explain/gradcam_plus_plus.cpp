// Grad-CAM++. A. Chattopadhay, A. Sarkar, P. Howlader, V. N. Balasubramanian, "Grad-CAM++: Improved
// Visual Explanations for Deep Convolutional Networks", WACV 2018, eq. 5, 10 and 19. With g = dy /
// dA:
//
//   a = g^2 / (2 g^2 + (sum_p A) g^3)   (0 where g is 0)
//   w_k = sum_p a ReLU(g)               L = ReLU(sum_k w_k A^k)
//
// This is the form of the published grad-cam package, with its 1e-6 in the denominator. The paper's
// score is exp(y), whose factor falls out of `a`; MONAI and tf-keras-vis keep it in other places.

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
    const auto sums = channel_sums(map, n);
    const auto weights =
        sum_over_positions(map, gradient.view(), n, [&](float, float g, std::int64_t c) {
          if (!(g > 0)) return 0.0;
          const double g2 = static_cast<double>(g) * g;
          return g2 / (2 * g2 + sums[static_cast<std::size_t>(c)] * g2 * g + 1e-6) * g;
        });
    out.push_back({weighted_sum(map, n, weights)});
  }
  return out;
}

}  // namespace

template <>
Row<GradCamPlusPlus> row<GradCamPlusPlus>() {
  return {
      .info = {.title = "Grad-CAM++",
               .paper = "Chattopadhay et al. 2018, Grad-CAM++: Improved Visual Explanations for "
                        "Deep Convolutional Networks, eq. 5, 10 and 19",
               .needs = "a spatial layer that the score depends on",
               .cost = "1 forward, 1 walk back from the score to the layer",
               .use = "several objects of one class in the picture"},
      .needs =
          [](const Layer& layer) {
            return Needs{.gradients = layer_gradient_needs(layer, engine::GradientReduce::none)};
          },
      .run = run,
      .scratch_bytes = layer_gradient_bytes};
}
template const Entry& entry<GradCamPlusPlus>();

}  // namespace fovea::explain
