#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "graph/graph.hpp"

/// What the queries ask of the edges. All of it is iterative: graphs come from files.
namespace fovea::graph::detail {

/// The node that computes the value at run time; null for inputs and constants.
const Node* producer(const Graph& graph, ValueId id);

/// The value that `id` is a copy of, under the same shape: looked back through every node that
/// is_copy.
ValueId skip_copies(const Graph& graph, ValueId id);

/// For each value: does it depend on an input of the graph?
std::vector<bool> depends_on_inputs(const Graph& graph);

/// For each value: is it made of this one (true for the value itself)?
std::vector<bool> values_behind(const Graph& graph, ValueId from);

/// For each value: is it made of what RoiAlign cut out of maps? Its positions are a region's.
std::vector<bool> behind_regions(const Graph& graph);

/// For each value: does a path lead from it to `to` (true for `to`)?
std::vector<bool> reaching(const Graph& graph, ValueId to);

/// For each value: does every path from the inputs to `to`, over values that `counts`, go through
/// it?
std::vector<bool> on_every_path(const Graph& graph, ValueId to,
                                const std::function<bool(ValueId)>& counts);

/// Does the permutation move the channels behind the spatial extents: (0, 2, ..., r - 1, 1)?
bool moves_channels_last(const Transpose& op);

/// Where a value keeps its spatial extents.
struct Layout {
  enum class Order { unknown, channels_first, channels_last } order = Order::unknown;
  std::size_t spatial = 0;  ///< how many spatial extents; none of one token by itself
  /// Where a reshape hid the extents (to normalise groups, say): the value it came from. A reshape
  /// to that value's shape finds them again.
  ValueId hidden = {};
  std::size_t images = 0;  ///< the axis that counts the images
  friend bool operator==(const Layout&, const Layout&) = default;

  /// Of a value of `spatial` + 2 extents: the channels come first or last of the axes that are no
  /// images'.
  std::size_t channel_axis() const {
    if (order == Order::channels_first) return images == 0 ? 1 : 0;
    return images == spatial + 1 ? spatial : spatial + 1;
  }
  std::vector<std::size_t> spatial_axes() const {
    std::vector<std::size_t> out;
    for (std::size_t axis = 0; axis < spatial + 2; ++axis)
      if (axis != images && axis != channel_axis()) out.push_back(axis);
    return out;
  }
};

/// For each value, as far as the ops say it: what a convolution reads and writes has its channels
/// first, what follows inherits or permutes. Token sequences are channels_last with one spatial
/// extent, `image_axes` saying which of theirs are the images'.
std::vector<Layout> layouts(const Graph& graph,
                            const std::vector<std::optional<std::size_t>>& image_axes);

/// Is the value a feature map: batch, channels and spatial extents, at least one of them above 1?
bool is_map(const Value& value, const Layout& layout);

}  // namespace fovea::graph::detail
