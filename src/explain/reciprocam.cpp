// ReciproCAM. S.-Y. Byun, W. Lee, "Recipro-CAM: Fast gradient-free visual explanations for
// convolutional neural networks", arXiv 2209.14074, eq. 3 and 4:
//
//   L(p) = y(A masked to position p, all channels)
//
// The score behind each single position of the layer. No ReLU and no offset: a score has no zero
// that means "nothing" (OpenVINO XAI scales by min-max; so does Normalize::minmax). Behind a head
// of global pooling and one linear layer the scores of all positions are one matrix product.

#include <algorithm>
#include <cmath>

#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/head_weights.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

Tensor from_head(Context& context, std::int64_t image) {
  const auto& head = *context.head;
  const auto view = feature_map(context);
  float positions = 1;
  for (const auto extent : spatial_extents(view)) positions *= static_cast<float>(extent);
  const Tensor all = detail::every_class(context, image, 1 / positions);
  const auto row = static_cast<std::size_t>(context.row());
  const auto count = all.data.size() / row;
  Tensor map{spatial_extents(view), std::vector<float>(count)};
  std::vector<float> scores(row);
  for (std::size_t p = 0; p < count; ++p) {
    for (std::size_t k = 0; k < row; ++k)
      scores[k] = all.data[k * count + p] + (head.bias.empty() ? 0.f : head.bias[k]);
    map.data[p] =
        static_cast<float>(context.objectives[static_cast<std::size_t>(image)].value(scores));
  }
  return map;
}

Tensor from_network(Context& context, std::int64_t image) {
  Tail tail(context, image);
  const Tensor src = plain(feature_map(context), image);
  const auto channels = static_cast<std::size_t>(src.shape[0]);
  const auto positions = src.data.size() / channels;
  const auto batch = static_cast<std::size_t>(tail.batch());
  const auto row = static_cast<std::size_t>(context.row());
  Tensor map{{src.shape.begin() + 1, src.shape.end()}, std::vector<float>(positions)};
  for (std::size_t first = 0; first < positions; first += batch) {
    const auto count = std::min(batch, positions - first);
    std::fill(tail.maps().begin(), tail.maps().end(), 0.f);
    for (std::size_t b = 0; b < count; ++b) {
      const auto to = tail.map(static_cast<std::int64_t>(b));
      for (std::size_t c = 0; c < channels; ++c)
        to[c * positions + first + b] = src.data[c * positions + first + b];
    }
    const auto scores = tail.forward();
    for (std::size_t b = 0; b < count; ++b)
      map.data[first + b] = static_cast<float>(
          context.objectives[static_cast<std::size_t>(image)].value(scores.subspan(b * row, row)));
  }
  return map;
}

/// Positions in equal parts of at most 64.
std::int64_t at_once(const Layer& layer) {
  constexpr std::int64_t kMax = 64;
  std::int64_t positions = 1;
  for (std::size_t d = 2; d < layer.shape.size(); ++d) positions *= layer.shape[d];
  const auto parts = (positions + kMax - 1) / kMax;
  return std::max<std::int64_t>(1, (positions + parts - 1) / parts);
}

std::vector<Evidence> run(Context& context) {
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n)
    out.push_back({context.find(NetworkSpec::Part::tail) != nullptr ? from_network(context, n)
                                                                    : from_head(context, n)});
  return out;
}

}  // namespace

template <>
Row<ReciproCam> row<ReciproCam>() {
  return {
      .info = {.title = "ReciproCAM",
               .paper = "Byun and Lee 2022, Recipro-CAM: Fast gradient-free visual explanations "
                        "for convolutional neural networks, eq. 3 and 4",
               .needs = "a spatial layer that the score depends on",
               .cost = "1 forward, the network behind the layer once per position",
               .use = "without gradients: what each position alone would score",
               .has_offset = true},
      .needs =
          [](const Layer& layer) {
            Needs needs;
            if (!layer.is_head_map)
              needs.networks = {{.part = NetworkSpec::Part::tail,
                                 .from = layer.value,
                                 .batch = at_once(layer),
                                 .few_positions = true}};
            return needs;
          },
      .run = run,
      .scratch_bytes =
          [](const Context& context) {
            return context.find(NetworkSpec::Part::tail) != nullptr ? tail_bytes(context)
                                                                    : every_class_bytes(context);
          },
      .relu = false};
}
template const Entry& entry<ReciproCam>();

}  // namespace fovea::explain
