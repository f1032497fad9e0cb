// EigenGradCAM: EigenCAM of the gradient times the activation, as the grad-cam package's
// EigenGradCAM; no paper.
//
//   X = dy / dA * A        L = X V_1, V_1 the first principal direction of X over positions
//
// The sign agrees with the sum over channels of X (HiResCAM's map): positive where it speaks for
// the class.

#include "explain/gradients.hpp"
#include "explain/principal.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  const auto gradient = layer_gradient(context);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    Tensor x = plain(feature_map(context), n);
    const Tensor g = plain(gradient.view(), n);
    for (std::size_t i = 0; i < x.data.size(); ++i) x.data[i] *= g.data[i];
    out.push_back({first_component(x)});
  }
  return out;
}

}  // namespace

template <>
Row<EigenGradCam> row<EigenGradCam>() {
  return {
      .info = {.title = "EigenGradCAM",
               .paper = "pytorch-grad-cam's EigenGradCAM (no paper)",
               .needs = "a spatial layer that the score depends on",
               .cost = "1 forward, 1 walk back from the score to the layer, an eigenvector",
               .use = "as EigenCAM, but about one class"},
      .needs =
          [](const Layer& layer) {
            return Needs{.gradients = layer_gradient_needs(layer, engine::GradientReduce::none)};
          },
      .run = run,
      .scratch_bytes =
          [](const Context& context) {
            const Sizes s(context);
            return layer_gradient_bytes(context) + first_component_bytes(s.channels, s.positions) +
                   s.plain * base::Size(2) * kFloat;
          }};
}
template const Entry& entry<EigenGradCam>();

}  // namespace fovea::explain
