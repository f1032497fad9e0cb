#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "explain/method.hpp"

/// Masks over the input's positions.
namespace fovea::explain {

/// (mask - min) / (max - min + 1e-8).
void scale_to_unit(std::vector<float>& mask);

/// dst = src * mask at each position, for image `image` of an input [n, ...] whose positions have
/// `extents` (channels before or after them).
void multiply(const Tensor& src, std::span<const float> mask, const Shape& extents,
              std::int64_t image, Tensor& dst);

/// Channels of one image of an input: how many, and the distance from one channel to the next and
/// from one position to the next.
struct ChannelSteps {
  std::int64_t channels, positions, channel_step, position_step;
};
/// `shape` is the input's, without the images.
ChannelSteps channel_steps(std::span<const std::int64_t> shape, const Shape& extents);

}  // namespace fovea::explain
