#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "explain/feature_map.hpp"

/// Sums over a feature map and a gradient of one layout, of whatever a method makes of the two.
namespace fovea::explain {

namespace detail {

constexpr std::int64_t kCombineGrain = 8192;  // pairs worth waking a thread for
constexpr std::int64_t kLanes = 16;

struct Pair {
  const float* a;
  const float* g;
  std::int64_t channels, positions, block;
};

inline Pair pair_of(const engine::ValueView& map, const engine::ValueView& gradient,
                    std::int64_t image) {
  return {map.data + image * map.image_stride, gradient.data + image * gradient.image_stride,
          map.shape[1], base::element_count(spatial_extents(map)), map.block};
}

}  // namespace detail

/// dst[p] = sum_c f(map[c, p], gradient[c, p]) of one image.
template <class F>
Tensor sum_over_channels(const engine::ValueView& map, const engine::ValueView& gradient,
                         std::int64_t image, F f) {
  const auto x = detail::pair_of(map, gradient, image);
  Tensor out{spatial_extents(map), std::vector<float>(static_cast<std::size_t>(x.positions))};
  base::parallel_for(x.positions, std::max<std::int64_t>(1, detail::kCombineGrain / x.channels),
                     [&](std::int64_t begin, std::int64_t end) {
                       if (x.block == 1) {
                         for (std::int64_t c = 0; c < x.channels; ++c)
                           for (auto p = begin; p < end; ++p)
                             out.data[static_cast<std::size_t>(p)] +=
                                 f(x.a[c * x.positions + p], x.g[c * x.positions + p]);
                         return;
                       }
                       for (auto p = begin; p < end; ++p) {
                         float lanes[detail::kLanes] = {};
                         for (std::int64_t c = 0; c < x.channels; c += x.block) {
                           const auto at = c * x.positions + p * x.block;
                           const auto count = std::min(x.block, x.channels - c);
                           for (std::int64_t l = 0; l < count; ++l)
                             lanes[l % detail::kLanes] += f(x.a[at + l], x.g[at + l]);
                         }
                         float sum = 0;
                         for (const float v : lanes) sum += v;
                         out.data[static_cast<std::size_t>(p)] = sum;
                       }
                     });
  return out;
}

/// dst[c] = sum_p f(map[c, p], gradient[c, p], c) of one image, in f64.
template <class F>
std::vector<float> sum_over_positions(const engine::ValueView& map,
                                      const engine::ValueView& gradient, std::int64_t image, F f) {
  const auto x = detail::pair_of(map, gradient, image);
  std::vector<float> out(static_cast<std::size_t>(x.channels));
  base::parallel_for(
      x.channels,
      std::max<std::int64_t>(1, detail::kCombineGrain / std::max<std::int64_t>(1, x.positions)),
      [&](std::int64_t begin, std::int64_t end) {
        for (auto c = begin; c < end; ++c) {
          const auto at = channel_begin(c, x.positions, x.block);
          double sum = 0;
          for (std::int64_t p = 0; p < x.positions; ++p)
            sum += f(x.a[at + p * x.block], x.g[at + p * x.block], c);
          out[static_cast<std::size_t>(c)] = static_cast<float>(sum);
        }
      });
  return out;
}

/// sum_p map[c, p].
inline std::vector<float> channel_sums(const engine::ValueView& map, std::int64_t image) {
  return sum_over_positions(map, map, image, [](float a, float, std::int64_t) { return a; });
}

}  // namespace fovea::explain
