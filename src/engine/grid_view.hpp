#pragma once

#include "engine/builder.hpp"
#include "graph/query.hpp"

/// Values whose images, channels and positions lie in another order than a map's.
namespace fovea::engine {

/// A row-major value of `shape` in the grid's order, as graph::Grid::ordered_shape: itself, where
/// its axes lie so, else a copy.
Operand on_grid(Builder& b, const Operand& plain, const Shape& shape, const graph::Grid& grid);

/// What Plan shows of a value in that order: the map [n, c, extents...] of the grid's positions.
ValueView on_grid(ValueView view, const graph::Grid& grid);

}  // namespace fovea::engine
