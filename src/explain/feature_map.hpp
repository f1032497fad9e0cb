#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/plan.hpp"
#include "fovea/tensor.hpp"

/// What CAM-like methods do to a feature map [n, c, ...], on the plan's own layout.
namespace fovea::explain {

/// Spatial extents of a feature map's value.
Shape spatial_extents(const engine::ValueView& view);

using engine::channel_begin;

/// Floats from the first to the last of a value's map, what lies between images included.
std::int64_t floats_spanned(const engine::ValueView& view);

/// sum_c weights[c] * channel c of one image.
Tensor weighted_sum(const engine::ValueView& view, std::int64_t image,
                    std::span<const float> weights);

/// scale * weights [rows, channels] times the map of one image: [rows, spatial extents].
Tensor weighted_sums(const engine::ValueView& view, std::int64_t image,
                     std::span<const float> weights, float scale);

/// max(map, 0) in place.
void relu(Tensor& map);

}  // namespace fovea::explain
