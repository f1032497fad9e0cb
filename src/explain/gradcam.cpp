// Grad-CAM. R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra, "Grad-CAM:
// Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017, eq. 1 and 2:
//
//   alpha_k = 1/Z sum_ij dy / dA_ij^k        L = ReLU(sum_k alpha_k A^k)
//
// y: the logit, before any softmax. For a head of global pooling and one linear layer the gradient
// is w_k / Z at every position (section 3.1 of the paper), so no backward pass runs. The published
// grad-cam package computes the same and then applies min-max: `Normalize::minmax`.

#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/head_weights.hpp"
#include "explain/row.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  const auto alpha = mean_gradient(context);
  const auto view = feature_map(context);
  const auto channels = static_cast<std::size_t>(view.shape[1]);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n)
    out.push_back({weighted_sum(
        view, n, std::span(alpha).subspan(static_cast<std::size_t>(n) * channels, channels))});
  return out;
}

Tensor of_every_class(Context& context, std::int64_t image) {
  float positions = 1;
  for (const auto extent : spatial_extents(feature_map(context)))
    positions *= static_cast<float>(extent);
  Tensor maps = detail::every_class(context, image, 1 / positions);
  relu(maps);
  return maps;
}

}  // namespace

template <>
Row<GradCam> row<GradCam>() {
  return {
      .info = {.title = "Grad-CAM",
               .paper = "Selvaraju et al. 2017, Grad-CAM: Visual Explanations from Deep Networks "
                        "via Gradient-based Localization, eq. 1 and 2",
               .needs = "a spatial layer that the score depends on",
               .cost = "1 forward, 1 walk back from the score to the layer",
               .use = "the first choice: fast, class-specific, serves every network"},
      .needs =
          [](const Layer& layer) {
            return Needs{.gradients =
                             layer_gradient_needs(layer, engine::GradientReduce::spatial_mean)};
          },
      .run = run,
      .class_maps = of_every_class};
}
template const Entry& entry<GradCam>();

}  // namespace fovea::explain
