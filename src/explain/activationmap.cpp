// Activation map: the mean over channels, as OpenVINO XAI's ActivationMap. Not about any class.
//
//   L = 1/K sum_k A^k

#include "explain/combine.hpp"
#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/row.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  const auto map = feature_map(context);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    const std::vector<float> weights(static_cast<std::size_t>(map.shape[1]),
                                     1 / static_cast<float>(map.shape[1]));
    out.push_back({weighted_sum(map, n, weights)});
  }
  return out;
}

}  // namespace

template <>
Row<ActivationMap> row<ActivationMap>() {
  return {.info = {.title = "Activation map",
                   .paper = "OpenVINO XAI's ActivationMap (no paper)",
                   .needs = "a spatial layer",
                   .cost = "1 forward",
                   .use = "what the layer responds to at all; a baseline that no class changes"},
          .run = run,
          .relu = false};
}
template const Entry& entry<ActivationMap>();

}  // namespace fovea::explain
