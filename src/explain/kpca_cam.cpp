// KPCA-CAM. S. Karmani, T. Sivakaran, G. Prasad, M. Ali, W. Yang, S. Tang, "KPCA-CAM: Visual
// Explainability of Deep Computer Vision Models using Kernel PCA", MMSP 2024, eq. 5 to 9: EigenCAM
// with kernel PCA in place of PCA; the kernel is tanh(gamma <a, b> + 1), gamma 1 / channels.
//
// The sign is scikit-learn's, which the grad-cam package uses: the largest magnitude is positive.

#include "explain/gradients.hpp"
#include "explain/principal.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context, const KpcaCam& method) {
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    Tensor x = plain(feature_map(context), n);
    out.push_back({first_kernel_component(x, method.gamma)});
  }
  return out;
}

}  // namespace

template <>
Row<KpcaCam> row<KpcaCam>() {
  return {.info = {.title = "KPCA-CAM",
                   .paper = "Karmani et al. 2024, KPCA-CAM: Visual Explainability of Deep Computer "
                            "Vision Models using Kernel PCA, eq. 5 to 9",
                   .needs = "a spatial layer",
                   .cost = "1 forward, an eigenvector of positions by positions",
                   .use = "as EigenCAM, where a linear component is too coarse"},
          .run = run,
          .scratch_bytes = [](const Context& context) {
            const Sizes s(context);
            return first_kernel_component_bytes(s.channels, s.positions) + s.plain * kFloat;
          }};
}
template const Entry& entry<KpcaCam>();

}  // namespace fovea::explain
