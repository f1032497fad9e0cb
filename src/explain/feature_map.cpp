#include "explain/feature_map.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "simd/kernels.hpp"

namespace fovea::explain {
namespace {

constexpr std::int64_t kGrain = 16384;  // floats worth waking a thread for

simd::MapLayout layout_of(const engine::ValueView& view) {
  return {view.shape[1], base::element_count(spatial_extents(view)), view.block};
}

const float* image_of(const engine::ValueView& view, std::int64_t image) {
  return view.data + image * view.image_stride;
}

}  // namespace

Shape spatial_extents(const engine::ValueView& view) {
  return {view.shape.begin() + 2, view.shape.end()};
}

std::int64_t floats_spanned(const engine::ValueView& view) {
  const auto layout = layout_of(view);
  return (view.shape[0] - 1) * view.image_stride + simd::padded_channels(layout) * layout.positions;
}

Tensor weighted_sum(const engine::ValueView& view, std::int64_t image,
                    std::span<const float> weights) {
  const auto layout = layout_of(view);
  Tensor map{spatial_extents(view), std::vector<float>(static_cast<std::size_t>(layout.positions))};
  const float* src = image_of(view, image);
  base::parallel_for(layout.positions, std::max<std::int64_t>(1, kGrain / layout.channels),
                     [&](std::int64_t begin, std::int64_t end) {
                       simd::kernels().weighted_channel_sum(src, layout, weights.data(), begin, end,
                                                            map.data.data());
                     });
  return map;
}

Tensor weighted_sums(const engine::ValueView& view, std::int64_t image,
                     std::span<const float> weights, float scale) {
  const auto layout = layout_of(view);
  const auto rows = static_cast<std::int64_t>(weights.size()) / layout.channels;
  Shape shape = spatial_extents(view);
  shape.insert(shape.begin(), rows);
  Tensor maps{shape, std::vector<float>(static_cast<std::size_t>(base::element_count(shape)))};
  const float* src = image_of(view, image);
  std::vector<float> plain;
  if (layout.block != 1) {
    plain.resize(static_cast<std::size_t>(layout.channels * layout.positions));
    for (std::int64_t c = 0; c < layout.channels; ++c) {
      const float* from = src + channel_begin(c, layout.positions, layout.block);
      float* to = plain.data() + c * layout.positions;
      for (std::int64_t p = 0; p < layout.positions; ++p) to[p] = from[p * layout.block];
    }
    src = plain.data();
  }
  engine::multiply_matrices(scale, weights.data(), src, maps.data.data(), rows, layout.channels,
                            layout.positions);
  return maps;
}

void relu(Tensor& map) {
  simd::kernels().relu_max(map.data.data(), static_cast<std::int64_t>(map.data.size()));
}

}  // namespace fovea::explain
