#pragma once

#include <map>
#include <set>
#include <vector>

#include "engine/builder.hpp"
#include "engine/ops/sums.hpp"

/// The backward pass for GradientReduce::spatial_mean.
namespace fovea::engine {

/// Which nodes a backward pass to the channel sums of a feature map leaves out, and where its sums
/// come from. The sums are added up over `ends` and `maps`.
struct ChannelSumsPass {
  std::set<int> passed;              ///< nodes without a step
  std::map<int, SumLayout> ends;     ///< nodes that sum_backward: the layout of their input
  std::vector<graph::ValueId> maps;  ///< values whose ordinary gradient is summed over positions
};

/// The reference: the gradient at every position of `wrt`, then its sums.
ChannelSumsPass plain_sums(graph::ValueId wrt);

/// The shortest path. `uses` are the graph's, `path` is values_between(graph, wrt, of).
ChannelSumsPass plan_sums(const graph::Graph& graph,
                          const std::vector<std::vector<graph::NodeId>>& uses, graph::ValueId wrt,
                          graph::ValueId of, const std::vector<bool>& path);

/// dst[n, c] = scale * the sum over positions of `gradient`, whose value has shape `shape` [n, c,
/// ...].
Operand sum_positions(Builder& b, const Operand& gradient, const Shape& shape, float scale);

/// dst[n, c] = the mean over the grid's positions of a row-major value [n, positions, c].
Operand mean_on_grid(Builder& b, const Operand& src, const Shape& shape, const graph::Grid& grid);

/// The constant weights of a matrix product, summed over the positions that share a channel:
/// [outputs, channels], once per model. `columns` is the layout of the summed axis; the weights are
/// [outputs, columns], or the other way round. `transposed`: the weights [columns, outputs], where
/// they are in memory so, to be read in the place of the model's.
Operand channel_summed_weights(Builder& b, graph::ValueId weights,
                               const std::vector<SumLayout::Axis>& columns, bool outputs_first,
                               std::span<const float> transposed = {});

}  // namespace fovea::engine
