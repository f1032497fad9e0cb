#include "explain/masks.hpp"

#include <algorithm>
#include <cmath>

#include "base/checked.hpp"
#include "base/parallel.hpp"

namespace fovea::explain {
void scale_to_unit(std::vector<float>& mask) {
  const auto [low, high] = std::minmax_element(mask.begin(), mask.end());
  const float least = *low, range = *high - *low + 1e-8f;
  for (auto& v : mask) v = (v - least) / range;
}

ChannelSteps channel_steps(std::span<const std::int64_t> shape, const Shape& extents) {
  std::int64_t elements = 1;
  for (const auto extent : shape) elements *= extent;
  if (extents.empty()) return {1, elements, elements, 1};
  const auto positions = std::max<std::int64_t>(1, base::element_count(extents));
  const auto channels = elements / positions;
  const bool first = std::equal(extents.rbegin(), extents.rend(), shape.rbegin());
  return first ? ChannelSteps{channels, positions, positions, 1}
               : ChannelSteps{channels, positions, 1, channels};
}

void multiply(const Tensor& src, std::span<const float> mask, const Shape& extents,
              std::int64_t image, Tensor& dst) {
  const auto steps = channel_steps(std::span(src.shape).subspan(1), extents);
  const auto start = image * steps.channels * steps.positions;
  const float* from = src.data.data() + start;
  float* to = dst.data.data() + start;
  base::parallel_for(steps.positions, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = 0; c < steps.channels; ++c)
      for (auto p = begin; p < end; ++p) {
        const auto at = c * steps.channel_step + p * steps.position_step;
        to[at] = from[at] * mask[static_cast<std::size_t>(p)];
      }
  });
}

}  // namespace fovea::explain
