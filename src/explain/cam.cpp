// CAM. B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba, "Learning Deep Features for
// Discriminative Localization", CVPR 2016, eq. 2:
//
//   M_c(x, y) = sum_k w_k^c f_k(x, y)
//
// f_k: the map that global average pooling reads; w_k^c: the weight of channel k for class c in the
// linear layer (the identity where the pool gives the logits itself). No ReLU, no bias, as in the
// paper; MONAI's CAM adds the bias at each location. For a target other than a class's logit, the
// weights are those of the target's gradient with respect to the logits, W^T dy/dlogits.

#include "fovea/methods/cam.hpp"
#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/head_weights.hpp"
#include "explain/row.hpp"

namespace fovea::explain {
namespace {

void check(const std::optional<graph::PoolLinearHead>& head, const Layer& layer) {
  if (!head)
    throw Error(
        ErrorCode::invalid_argument,
        "CAM needs a head of global average pooling and at most one linear layer, which this "
        "model does not have; Grad-CAM serves any head");
  if (!layer.is_head_map)
    throw Error(ErrorCode::invalid_argument,
                "CAM explains the map that global pooling reads, and no other layer",
                {"", layer.name, ""});
}

std::vector<Evidence> run(Context& context) {
  const auto view = feature_map(context);
  const auto from = seeds(context);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    std::vector<float> weights(static_cast<std::size_t>(context.head->channels), 0.f);
    detail::add_head_rows(*context.head, from.data() + n * context.row(), weights.data());
    out.push_back({weighted_sum(view, n, weights)});
  }
  return out;
}

}  // namespace

template <>
Row<Cam> row<Cam>() {
  return {
      .info = {.title = "CAM",
               .paper = "Zhou et al. 2016, Learning Deep Features for Discriminative Localization, "
                        "eq. 2",
               .needs = "a head of global average pooling and at most one linear layer",
               .cost = "1 forward",
               .use = "the original; Grad-CAM before its ReLU, up to scale"},
      .check = check,
      .run = run,
      .relu = false,
      .class_maps = [](Context& context, std::int64_t image) {
        return detail::every_class(context, image, 1.f);
      }};
}
template const Entry& entry<Cam>();

}  // namespace fovea::explain
