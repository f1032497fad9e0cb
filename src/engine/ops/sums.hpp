#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/layout.hpp"
#include "graph/graph.hpp"

/// Where only the sum over positions of a feature map's gradient is wanted ([n, c]), some operators
/// above the map need not go position by position. What they say, and what they are told.
namespace fovea::engine {

/// How a value's elements, row-major, belong to the images, channels and positions of a feature map
/// below it: its extents, finer where an operator between joined several in one.
struct SumLayout {
  enum class Role { image, channel, position };
  struct Axis {
    Role role;
    std::int64_t extent;
  };
  std::vector<Axis> axes;

  /// Of a value [n, c, positions ...].
  static SumLayout of_map(const Shape& shape);
  /// True where a value of this shape is a feature map again, [n, c, positions ...].
  bool is_map(const Shape& shape) const;
  /// The axes of each extent of `shape` (of extent 1: none); none where a reshape cut across axes.
  std::optional<std::vector<std::vector<Axis>>> per_extent(const Shape& shape) const;
};

/// What an operator does to channel sums on the way from its only output to its input 0.
struct SumOffer {
  enum class Kind {
    none,    ///< it must go position by position
    passes,  ///< the sums of the input's gradient are those of the output's, which has layout `out`
    ends,    ///< sum_backward makes the sums from the ordinary gradient of the output
  };
  Kind kind = Kind::none;
  SumLayout out = {};
};

/// Who asks.
struct SumQuery {
  const graph::Graph& graph;
  const graph::Node& node;
  const SumLayout& layout;  ///< of input 0

  const graph::Value& in(std::size_t i) const { return graph.value(node.inputs[i]); }
  const Shape& in_shape() const { return in(0).shape; }
  const Shape& out_shape() const { return graph.value(node.outputs[0]).shape; }
};

/// A matrix product x [rows, k] times constant weights ends the backward pass where each row of x
/// is an image: the layout of k; none where it cannot.
std::optional<std::vector<SumLayout::Axis>> summed_columns(const SumLayout& layout,
                                                           const Shape& x_shape);

}  // namespace fovea::engine
