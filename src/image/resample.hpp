#pragma once

#include <cstdint>
#include <vector>

#include "fovea/image.hpp"
#include "image/geometry.hpp"

namespace fovea::image {

/// Rows of `width` pixels of `channels` interleaved bytes, without padding.
struct Picture {
  std::int64_t width = 0, height = 0, channels = 0;
  std::vector<std::uint8_t> bytes;
};

/// Interleaved bytes that somebody else owns.
struct PictureView {
  std::int64_t width = 0, height = 0, channels = 0;
  const std::uint8_t* bytes = nullptr;
};

/// The part of the resized photo that the network sees: placement.x.count by placement.y.count.
Picture resample(const PictureView& photo, const Placement& placement, Preprocess::Resize how);

/// Rows of a picture of this width that make it worth waking a thread.
std::int64_t rows_per_thread(std::int64_t width);

}  // namespace fovea::image
