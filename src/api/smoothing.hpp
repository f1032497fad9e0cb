#pragma once

#include <span>
#include <vector>

#include "explain/method.hpp"
#include "fovea/tensor.hpp"

/// Test-time augmentation, as pytorch-grad-cam's aug_smooth: mirrored or not, brightness 0.9, 1,
/// 1.1 of the input as the network sees it.
namespace fovea::api {

struct Variant {
  bool mirrored;
  float factor;
};

std::span<const Variant> smoothing_variants();

/// Changes an input [n, ...] whose rows and columns are `extents` (channels first or last).
void apply(const Variant& variant, Tensor& input, const Shape& extents);

/// Mirrors a map (last extent: columns) back.
void undo(const Variant& variant, Tensor& map);

/// sum += part / parts; an empty sum becomes the part's.
void add_share(std::vector<explain::Evidence>& sum, std::vector<explain::Evidence> part,
               std::size_t parts);

}  // namespace fovea::api
