#include "explain/head_weights.hpp"

#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"

namespace fovea::explain::detail {

void add_head_rows(const graph::PoolLinearHead& head, const float* from, float* dst) {
  for (std::int64_t j = 0; j < head.classes; ++j) {
    if (from[j] == 0) continue;
    if (head.weights.empty()) {
      dst[j] += from[j];
      continue;
    }
    const float* row = head.weights.data.data() + j * head.channels;
    for (std::int64_t k = 0; k < head.channels; ++k) dst[k] += from[j] * row[k];
  }
}

Tensor every_class(const Context& context, std::int64_t image, float scale) {
  const auto& head = *context.head;
  std::vector<float> identity;
  if (head.weights.empty()) {
    identity.resize(static_cast<std::size_t>(head.classes * head.channels));
    for (std::int64_t k = 0; k < head.classes; ++k)
      identity[static_cast<std::size_t>(k * head.channels + k)] = 1.f;
  }
  const auto weights = identity.empty() ? head.weights.data : std::span<const float>(identity);
  return weighted_sums(feature_map(context), image, weights, scale);
}

}  // namespace fovea::explain::detail
