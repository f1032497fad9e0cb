// Smooth Grad-CAM++. D. Omeiza, S. Speakman, C. Cintas, K. Weldermariam, "Smooth Grad-CAM++: An
// Enhanced Inference Level Visualization Technique for Deep Convolutional Neural Network Models",
// arXiv 1908.01224, eq. 9 and 10. Over noisy inputs, with D_p the mean of the p-th power of dy /
// dA:
//
//   a = D_2 / (2 D_2 + (sum_p A) D_3)        w_k = sum_p a ReLU(D_1)        L = ReLU(sum_k w_k A^k)
//
// The numerator is torch-cam's correction (the paper prints D_1), the denominator has Grad-CAM++'s
// 1e-6. A is the clean image's. torch-cam takes the sum of A D_3 in the denominator and the last
// sample's gradient for D_1; the equation is followed here.

#include "explain/combine.hpp"
#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/noise.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context, const Chosen<SmoothGradCamPlusPlus>& method) {
  const auto map = feature_map(context);
  const auto size = static_cast<std::size_t>(floats_spanned(map));
  std::vector<double> power[3];
  for (auto& sum : power) sum.assign(size, 0.0);
  const auto noise = noise_of(context, method);
  for_each_noisy(context, noise, [&](Context& noisy) {
    const auto gradient = layer_gradient(noisy);
    for (std::size_t i = 0; i < size; ++i) {
      const double g = gradient.view().data[i];
      power[0][i] += g;
      power[1][i] += g * g;
      power[2][i] += g * g * g;
    }
  });
  for (auto& sum : power)
    for (auto& v : sum) v /= static_cast<double>(noise.samples);
  const auto positions = base::element_count(spatial_extents(map));
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    const auto sums = channel_sums(map, n);
    std::vector<float> weights(static_cast<std::size_t>(map.shape[1]));
    for (std::int64_t c = 0; c < map.shape[1]; ++c) {
      double weight = 0;
      for (std::int64_t p = 0; p < positions; ++p) {
        const auto i = static_cast<std::size_t>(
            n * map.image_stride + channel_begin(c, positions, map.block) + p * map.block);
        if (!(power[0][i] > 0)) continue;
        weight += power[1][i] /
                  (2 * power[1][i] + sums[static_cast<std::size_t>(c)] * power[2][i] + 1e-6) *
                  power[0][i];
      }
      weights[static_cast<std::size_t>(c)] = static_cast<float>(weight);
    }
    out.push_back({weighted_sum(map, n, weights)});
  }
  return out;
}

}  // namespace

template <>
Row<SmoothGradCamPlusPlus> row<SmoothGradCamPlusPlus>() {
  return {.info = {.title = "Smooth Grad-CAM++",
                   .paper = "Omeiza et al. 2019, Smooth Grad-CAM++: An Enhanced Inference Level "
                            "Visualization Technique for Deep Convolutional Neural Network Models, "
                            "eq. 9 and 10",
                   .needs = "a spatial layer that the score depends on",
                   .cost = "`samples` forwards and walks back from the score to the layer",
                   .use = "as Grad-CAM++, where its map is noisy"},
          .needs =
              [](const Layer& layer) {
                return Needs{.gradients = layer_gradient_needs(layer, engine::GradientReduce::none)}
                    .and_rerun();
              },
          .run = run,
          .scratch_bytes =
              [](const Context& context) {
                const Sizes s(context);
                return layer_gradient_bytes(context) + rerun_bytes(context) +
                       base::Size(3) * s.map * kDouble;
              }};
}
template const Entry& entry<SmoothGradCamPlusPlus>();

}  // namespace fovea::explain
