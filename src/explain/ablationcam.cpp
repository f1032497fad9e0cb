// Ablation-CAM. S. Desai, H. G. Ramaswamy, "Ablation-CAM: Visual Explanations for Deep
// Convolutional Network via Gradient-free Localization", WACV 2020, eq. 2 and 3:
//
//   w_k = (y - y_k) / y        L = ReLU(sum_k w_k A^k)        y_k: the score with channel k set to
//   0
//
// Only the network behind the layer runs again, a batch of channels at a time. The grad-cam package
// sets a channel to the layer's minimum less 1e7 where that minimum is not 0; here it is 0 always,
// as in the paper. The division is signed: a negative score turns the map round.

#include <algorithm>

#include "explain/combine.hpp"
#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

std::span<const float> scores_of(const Context& context, std::int64_t image) {
  const auto row = static_cast<std::size_t>(context.row());
  return context.scores.subspan(static_cast<std::size_t>(image) * row, row);
}

/// y_k, behind a head of global pooling and one linear layer: one column of weights taken off.
std::vector<double> from_head(Context& context, std::int64_t image) {
  const auto& head = *context.head;
  const auto view = feature_map(context);
  const auto positions = static_cast<float>(base::element_count(spatial_extents(view)));
  const auto sums = channel_sums(view, image);
  const auto own = scores_of(context, image);
  std::vector<double> out;
  std::vector<float> scores(own.size());
  for (std::int64_t k = 0; k < head.channels; ++k) {
    const float mean = sums[static_cast<std::size_t>(k)] / positions;
    std::copy(own.begin(), own.end(), scores.begin());
    if (head.weights.empty()) {
      scores[static_cast<std::size_t>(k)] -= mean;
    } else {
      for (std::int64_t j = 0; j < head.classes; ++j)
        scores[static_cast<std::size_t>(j)] -=
            head.weights.data[static_cast<std::size_t>(j * head.channels + k)] * mean;
    }
    out.push_back(context.objectives[static_cast<std::size_t>(image)].value(scores));
  }
  return out;
}

std::vector<double> from_network(Context& context, std::int64_t image) {
  Tail tail(context, image);
  const Tensor src = plain(feature_map(context), image);
  const auto channels = static_cast<std::size_t>(src.shape[0]);
  const auto positions = src.data.size() / channels;
  const auto batch = static_cast<std::size_t>(tail.batch());
  const auto row = static_cast<std::size_t>(context.row());
  std::vector<double> out;
  for (std::size_t first = 0; first < channels; first += batch) {
    const auto count = std::min(batch, channels - first);
    for (std::size_t b = 0; b < batch; ++b) {
      const auto to = tail.map(static_cast<std::int64_t>(b));
      std::copy(src.data.begin(), src.data.end(), to.begin());
      if (b < count) {
        const auto channel = to.subspan((first + b) * positions, positions);
        std::fill(channel.begin(), channel.end(), 0.f);
      }
    }
    const auto scores = tail.forward();
    for (std::size_t b = 0; b < count; ++b)
      out.push_back(
          context.objectives[static_cast<std::size_t>(image)].value(scores.subspan(b * row, row)));
  }
  return out;
}

std::vector<Evidence> run(Context& context) {
  const auto view = feature_map(context);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    const double y = context.objectives[static_cast<std::size_t>(n)].value(scores_of(context, n));
    const auto without = context.find(NetworkSpec::Part::tail) != nullptr ? from_network(context, n)
                                                                          : from_head(context, n);
    std::vector<float> weights;
    weights.reserve(without.size());
    for (const double score : without) weights.push_back(static_cast<float>((y - score) / y));
    out.push_back({weighted_sum(view, n, weights)});
  }
  return out;
}

}  // namespace

template <>
Row<AblationCam> row<AblationCam>() {
  return {.info = {.title = "Ablation-CAM",
                   .paper = "Desai and Ramaswamy 2020, Ablation-CAM: Visual Explanations for Deep "
                            "Convolutional Network via Gradient-free Localization, eq. 2 and 3",
                   .needs = "a spatial layer that the score depends on",
                   .cost = "1 forward, the network behind the layer once per channel",
                   .use = "without gradients: what the score loses with each channel"},
          .needs =
              [](const Layer& layer) {
                constexpr std::int64_t kAtOnce = 32;
                Needs needs;
                if (!layer.is_head_map)
                  needs.networks = {
                      {.part = NetworkSpec::Part::tail, .from = layer.value, .batch = kAtOnce}};
                return needs;
              },
          .run = run,
          .scratch_bytes = [](const Context& context) { return tail_bytes(context); }};
}
template const Entry& entry<AblationCam>();

}  // namespace fovea::explain
