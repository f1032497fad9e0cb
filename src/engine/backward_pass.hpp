#pragma once

#include "engine/builder.hpp"
#include "engine/channel_sums.hpp"
#include "engine/relevance/treatment.hpp"

/// The backward steps of a plan.
namespace fovea::engine {

/// Where a backward pass starts and what comes out.
struct BackwardPassEnds {
  Operand seeds;
  Operand result;  ///< f32, in a layout that map_view knows or row-major
  Shape shape;     ///< of the result
  std::vector<std::pair<Operand, Shape>> taps;
  Operand absorbed;  ///< [images, 2] doubles, of a backward pass of relevance
};

/// The way of a backward pass to the mean over positions: with `optimize` the shortest; nothing of
/// other backward passes, and of those to a grid that is no map as it lies.
ChannelSumsPass way_of(Builder& builder, const GradientSpec& spec,
                       const std::optional<graph::Grid>& grid, bool optimize);

/// Adds the steps of one backward pass behind the forward pass and other backward passes, a mean's
/// by its `way`. With `grid` the mean is over its positions, and a whole gradient is row-major.
/// Throws Error invalid_argument where no gradient leads to `spec.wrt`, or it has no positions to
/// take a mean of. `rules`: of a backward pass of relevance, else null.
BackwardPassEnds add_backward_pass(Builder& builder, const GradientSpec& spec,
                                   const std::optional<graph::Grid>& grid,
                                   const ChannelSumsPass& way, const RelevanceRules* rules);

}  // namespace fovea::engine
