#pragma once

#include "engine/builder.hpp"
#include "engine/channel_sums.hpp"
#include "engine/relevance/treatment.hpp"

/// The backward steps of a plan.
namespace fovea::engine {

/// Where a walk back starts and what comes out.
struct WalkEnds {
  Tensor seeds;
  Tensor result;  ///< f32, in a layout that map_view knows or row-major
  Shape shape;    ///< of the result
  std::vector<std::pair<Tensor, Shape>> taps;
  Tensor absorbed;  ///< [images, 2] doubles, of a walk back of relevance
};

/// The way of a walk to the mean over positions: with `optimize` the shortest; nothing of other
/// walks, and of those to a grid that is no map as it lies.
SumWalk way_of(Builder& builder, const GradientSpec& spec, const std::optional<graph::Grid>& grid,
               bool optimize);

/// Adds the steps of one walk back behind the forward pass and other walks, a mean's by its `way`.
/// With `grid` the mean is over its positions,
/// and a whole gradient is row-major. Throws Error invalid_argument where no
/// gradient leads to `spec.wrt`, or it has no positions to take a mean of. `rules`: of a walk of
/// relevance, else null.
WalkEnds walk_back(Builder& builder, const GradientSpec& spec,
                   const std::optional<graph::Grid>& grid, const SumWalk& way,
                   const RelevanceRules* rules);

}  // namespace fovea::engine
