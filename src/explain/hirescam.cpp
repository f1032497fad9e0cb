// HiResCAM. R. L. Draelos, L. Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of
// convolutional neural networks", arXiv 2011.08891, eq. 3:
//
//   L = sum_k dy / dA^k * A^k      (element-wise; no mean over positions)
//
// The last step here is a ReLU, as in the published grad-cam package; the paper keeps the sign
// (ExplainOptions::keep_sign).

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
    out.push_back(
        {sum_over_channels(map, gradient.view(), n, [](float a, float g) { return a * g; })});
  return out;
}

}  // namespace

template <>
Row<HiResCam> row<HiResCam>() {
  return {
      .info =
          {.title = "HiResCAM",
           .paper = "Draelos and Carin 2020, Use HiResCAM instead of Grad-CAM for faithful "
                    "explanations of convolutional neural networks, eq. 3",
           .needs = "a spatial layer that the score depends on",
           .cost = "1 forward, 1 walk back from the score to the layer",
           .use =
               "where positions must not lend each other their gradient: FC heads, early layers"},
      .needs =
          [](const Layer& layer) {
            return Needs{.gradients = layer_gradient_needs(layer, engine::GradientReduce::none)};
          },
      .run = run,
      .scratch_bytes = layer_gradient_bytes};
}
template const Entry& entry<HiResCam>();

}  // namespace fovea::explain
