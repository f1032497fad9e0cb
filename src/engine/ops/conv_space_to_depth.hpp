#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/ops/conv_candidates.hpp"

/// A convolution with strides as one without, by space to depth: positions s x + r of a source
/// become position x of further channels, one per r, so that the kernel meets whole positions only.
/// Where a source has few channels (a picture) nothing is lost by it, since vectors hold more
/// channels than there are.
namespace fovea::engine {

/// None where the convolution has no strides, many channels, groups or dilations.
std::optional<ConvProblem> without_strides(const ConvProblem& problem);

/// Its weights, row-major.
std::vector<float> weights_without_strides(const ConvProblem& problem,
                                           std::span<const float> weights);

/// Steps that put the positions of `in_blocks` (extents as the source of without_strides) back in
/// their places; the result is row-major and has the extents of the problem's source.
Operand depth_to_space(Builder& b, const ConvProblem& problem, const Operand& in_blocks);

}  // namespace fovea::engine
