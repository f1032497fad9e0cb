// CAM. B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba, "Learning Deep Features for
// Discriminative Localization", CVPR 2016, eq. 2:
//
//   M_c(x, y) = sum_k w_k^c f_k(x, y)
//
// f_k: the map that global average pooling reads; w_k^c: the weight of channel k for class c in the
// linear layer (the identity where the pool gives the logits itself). No ReLU, no bias, as in the
// paper; MONAI's CAM adds the bias at each location.

#include <algorithm>
#include <span>

#include "explain/feature_map.hpp"
#include "explain/head_weights.hpp"
#include "explain/method.hpp"

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

}  // namespace

namespace detail {

std::vector<float> class_row(const graph::PoolLinearHead& head, std::int64_t target) {
  std::vector<float> row(static_cast<std::size_t>(head.channels), 0.f);
  if (head.weights.empty()) {
    row[static_cast<std::size_t>(target)] = 1.f;
  } else {
    std::copy_n(head.weights.begin() + target * head.channels, head.channels, row.begin());
  }
  return row;
}

Tensor every_class(const Context& context, std::int64_t image, float scale) {
  const auto& head = *context.head;
  std::vector<float> identity;
  if (head.weights.empty()) {
    identity.resize(static_cast<std::size_t>(head.classes * head.channels));
    for (std::int64_t k = 0; k < head.classes; ++k)
      identity[static_cast<std::size_t>(k * head.channels + k)] = 1.f;
  }
  const auto view = context.plan.map(context.workspace, context.layer.map);
  const auto weights = identity.empty() ? head.weights.data : std::span<const float>(identity);
  return weighted_sums(view, image, weights, scale);
}

}  // namespace detail

const Entry& cam() {
  static const Entry entry{
      {"cam", "CAM",
       "Zhou et al. 2016, Learning Deep Features for Discriminative Localization, eq. 2",
       "a head of global average pooling and at most one linear layer", "1 forward"},
      check,
      [](const Layer&) -> std::optional<engine::GradientReduce> { return std::nullopt; },
      [](Context& context, std::span<const std::int64_t> classes) {
        const auto view = context.plan.map(context.workspace, context.layer.map);
        std::vector<Tensor> maps;
        for (std::int64_t n = 0; n < context.batch; ++n)
          maps.push_back(weighted_sum(
              view, n, detail::class_row(*context.head, classes[static_cast<std::size_t>(n)])));
        return maps;
      },
      [](Context& context, std::int64_t image) {
        return detail::every_class(context, image, 1.f);
      }};
  return entry;
}

}  // namespace fovea::explain
