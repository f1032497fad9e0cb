// Grad-CAM. R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra, "Grad-CAM:
// Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017, eq. 1 and 2:
//
//   alpha_k = 1/Z sum_ij dy / dA_ij^k        L = ReLU(sum_k alpha_k A^k)
//
// y: the logit, before any softmax. For a head of global pooling and one linear layer the gradient
// is w_k / Z at every position (section 3.1 of the paper), so no walk back runs. The published
// grad-cam package computes the same and then applies min-max: `Normalize::minmax`.

#include <chrono>

#include "explain/feature_map.hpp"
#include "explain/head_weights.hpp"
#include "explain/method.hpp"

namespace fovea::explain {
namespace {

std::vector<Tensor> from_head(Context& context, std::span<const std::int64_t> classes) {
  const auto view = context.plan.map(context.workspace, context.layer.map);
  float positions = 1;
  for (const auto extent : spatial_extents(view)) positions *= static_cast<float>(extent);
  std::vector<Tensor> maps;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    auto alpha = detail::class_row(*context.head, classes[static_cast<std::size_t>(n)]);
    for (auto& a : alpha) a /= positions;
    maps.push_back(weighted_sum(view, n, alpha));
    relu(maps.back());
  }
  return maps;
}

Tensor of_every_class(Context& context, std::int64_t image) {
  const auto view = context.plan.map(context.workspace, context.layer.map);
  float positions = 1;
  for (const auto extent : spatial_extents(view)) positions *= static_cast<float>(extent);
  Tensor maps = detail::every_class(context, image, 1 / positions);
  relu(maps);
  return maps;
}

std::vector<Tensor> from_gradient(Context& context, std::span<const std::int64_t> classes) {
  std::vector<float> seeds(static_cast<std::size_t>(context.batch * context.classes), 0.f);
  for (std::int64_t n = 0; n < context.batch; ++n)
    seeds[static_cast<std::size_t>(n * context.classes + classes[static_cast<std::size_t>(n)])] = 1;
  const auto index = context.layer.gradients.at(engine::GradientReduce::spatial_mean);
  const auto start = std::chrono::steady_clock::now();
  context.plan.backward(context.workspace, index, seeds, context.call);
  context.backward_ms +=
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  const auto alpha = context.plan.gradient(context.workspace, index);
  const auto view = context.plan.map(context.workspace, context.layer.map);
  std::vector<Tensor> maps;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    maps.push_back(weighted_sum(
        view, n, {alpha.data + n * alpha.shape[1], static_cast<std::size_t>(alpha.shape[1])}));
    relu(maps.back());
  }
  return maps;
}

}  // namespace

const Entry& gradcam() {
  static const Entry entry{
      {"gradcam", "Grad-CAM",
       "Selvaraju et al. 2017, Grad-CAM: Visual Explanations from Deep Networks via Gradient-based "
       "Localization, eq. 1 and 2",
       "a spatial layer that the score depends on",
       "1 forward, 1 walk back from the score to the layer"},
      [](const std::optional<graph::PoolLinearHead>&, const Layer&) {},
      [](const Layer& layer) -> std::optional<engine::GradientReduce> {
        if (layer.is_head_map) return std::nullopt;
        return engine::GradientReduce::spatial_mean;
      },
      [](Context& context, std::span<const std::int64_t> classes) {
        const bool walks = context.layer.gradients.contains(engine::GradientReduce::spatial_mean);
        return walks ? from_gradient(context, classes) : from_head(context, classes);
      },
      of_every_class};
  return entry;
}

}  // namespace fovea::explain
