#include <array>

#include "explain/method.hpp"

namespace fovea::explain {

std::span<const Entry> registry() {
  static const std::array entries = {
      gradcam(),
      cam(),
      gradcam_plus_plus(),
      smooth_gradcam_plus_plus(),
      xgradcam(),
      layercam(),
      hirescam(),
      gradcam_elementwise(),
      eigencam(),
      eigengradcam(),
      kpca_cam(),
      fem(),
      finercam(),
      shapleycam(),
      reciprocam(),
      ablationcam(),
      scorecam(),
      ss_cam(),
      is_cam(),
      activationmap(),
      random_cam(),
      fullgrad(),
      saliency(),
      gradient_x_input(),
      smoothgrad(),
      smoothgrad_squared(),
      vargrad(),
      integrated_gradients(),
      guided_backprop(),
      deconvolution(),
      guided_gradcam(),
      deeplift(),
      deep_shap(),
      gradient_shap(),
      lrp(),
      occlusion(),
      rise(),
      lime(),
      kernel_shap(),
      aise(),
  };
  return entries;
}

const Entry& find(std::string_view name) {
  std::string known;
  for (const auto& entry : registry()) {
    if (entry.info.name == name) return entry;
    known += (known.empty() ? "" : ", ") + entry.info.name;
  }
  throw Error(ErrorCode::invalid_argument,
              "there is no method '" + std::string(name) + "'; known are: " + known);
}

}  // namespace fovea::explain

namespace fovea {

std::vector<MethodInfo> methods() {
  std::vector<MethodInfo> out;
  for (const auto& entry : explain::registry()) out.push_back(entry.info);
  return out;
}

}  // namespace fovea
