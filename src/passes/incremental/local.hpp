#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/graph.hpp"

namespace fovea::passes::detail {

/// What of its inputs' positions a result's position reads along an axis: result o reads
/// o stride - pad + k dilation for 0 <= k < kernel.
struct Reach {
  std::int64_t kernel = 1, stride = 1, dilation = 1, pad = 0;
};

/// A node whose result at a position depends on its inputs near that position alone.
struct Local {
  std::vector<std::size_t> data;  ///< the inputs that are maps; the others are constant
  std::vector<Reach> reach;       ///< per spatial axis
  float fill = 0;                 ///< what it reads beyond the map
  std::optional<graph::Op> op;    ///< the node, where nothing is beyond the map; none: a copy
};

/// None for every other node.
std::optional<Local> local(const graph::Graph& graph, const graph::Node& node);

/// Multiplications of a convolution or matrix product; 0 for other nodes.
std::int64_t multiplications(const graph::Graph& graph, const graph::Node& node);

}  // namespace fovea::passes::detail
