#include <algorithm>

#include "api/explaining.hpp"
#include "base/checked.hpp"
#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "simd/kernels.hpp"

namespace fovea {
namespace api {

namespace {

/// For the features, the gradients, what is handed out of both; seeds.
base::Reservation held_for_channels(const Explainer::Impl& explainer,
                                    const engine::ValueView& view) {
  constexpr base::Size kPerChannel = 8 * sizeof(float), kPerClass = 8 * sizeof(double);
  const base::Size images = view.shape[0];
  return {explainer.budget,
          (images * (base::Size(view.shape[1]) * kPerChannel +
                     base::Size(explainer.row()) * kPerClass + base::Size(1024)))
              .n,
          "what the channels are"};
}

/// [batch, channels].
Tensor means_of(const engine::ValueView& view) {
  const simd::MapLayout layout{view.shape[1], base::element_count(explain::spatial_extents(view)),
                               view.block};
  Tensor out{{view.shape[0], layout.channels}, {}};
  out.data.resize(static_cast<std::size_t>(view.shape[0] * layout.channels));
  for (std::int64_t n = 0; n < view.shape[0]; ++n)
    simd::kernels().channel_mean(view.data + n * view.image_stride, layout, 0, layout.channels,
                                 out.data.data() + n * layout.channels);
  return out;
}

}  // namespace

std::vector<Channels> Explaining::channels(const Target& target) {
  check_targets(std::span(&target, 1));
  const auto& layer = *layers_[0];
  const auto wanted = objectives(target);
  auto context = context_of(layer, wanted, run_.workspace, run_.logits.data);
  // Before the backward pass, which may overwrite what lies behind the layer, never the layer
  // itself.
  const auto view = explainer_.plan->map(run_.workspace, layer.map);
  reservation_ = held_for_channels(explainer_, view);
  const auto means = means_of(view);
  const auto gradients = explain::mean_gradient(context);
  const auto positions = static_cast<float>(
      base::element_count(explain::spatial_extents(explain::feature_map(context))));
  const auto count = static_cast<std::size_t>(means.shape[1]);
  std::vector<Channels> out;
  for (std::size_t n = 0; n < static_cast<std::size_t>(explainer_.batch); ++n) {
    auto& one = out.emplace_back();
    one.layer = layer.name;
    const auto part = [&](const std::vector<float>& all) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(n * count);
      return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(count));
    };
    one.features = part(means.data);
    one.weights = part(gradients);
    for (auto& w : one.weights) w *= positions;
  }
  return out;
}

}  // namespace api

Tensor Run::Impl::features(const std::string& layer) const {
  require_row();
  const auto scope = team();
  const auto view = explainer->plan->map(workspace, api::layer_named(*explainer, layer).map);
  const auto taken = api::held_for_channels(*explainer, view);
  return api::means_of(view);
}

std::vector<Channels> Run::Impl::channels(const Target& target, const std::string& layer,
                                          const CallOptions& call) {
  require_row();
  const auto scope = team();
  const Method method = GradCam{};
  const ExplainOptions options{.layer = layer};
  return api::Explaining(*this, method, options, call, 1).channels(target);
}

}  // namespace fovea
