#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "graph/query.hpp"

/// Which part of a value other values depend on.
namespace fovea::graph {

/// Positions [begin, end) along an axis.
struct AxisRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  friend bool operator==(const AxisRange&, const AxisRange&) = default;
};
/// A part of a value, a range per axis.
using Box = std::vector<AxisRange>;

/// All of it; one element, its place from 0.
Box whole(const Shape& shape);
Box element(const Shape& place);
/// The least that holds both.
Box hull(const Box& a, const Box& b);

/// What of the node's input `i` the part `of` its output `o` can depend on, by the operator: never
/// less than that, and more where the operator's row does not tell. None: nothing.
std::optional<Box> part_read(const Graph& graph, const Node& node, std::size_t i, std::size_t o,
                             const Box& of);

/// For each value, what of it the parts of others can depend on, over every path. Nodes in front of
/// `first` are not looked at; none: all are. Cost: a step per node on the way.
std::vector<std::optional<Box>> receptive_fields(const Graph& graph,
                                                 const std::vector<std::pair<ValueId, Box>>& parts,
                                                 NodeId first = {});

/// Of a layer whose value is that part: the positions on its own grid, a range per axis of it.
Box on_grid(const Box& part, const Shape& shape, const std::optional<Grid>& grid);

/// The graph with no weights: what the above needs, to be kept.
Graph without_weights(Graph graph);

}  // namespace fovea::graph
