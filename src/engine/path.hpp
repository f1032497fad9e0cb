#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.hpp"

/// Which way a gradient can take through a graph.
namespace fovea::engine {

/// The nodes [first, last) behind the one that makes `wrt`, up to the one that makes `of`: no path
/// between the two leads through any other.
struct NodeRange {
  std::size_t first = 0, last = 0;
};
NodeRange nodes_between(const graph::Graph& graph, graph::ValueId wrt, graph::ValueId of);

/// For each value: does it lie on a differentiable path from `wrt` to `of`? Both ends included
/// where there is one.
std::vector<bool> values_between(const graph::Graph& graph, graph::ValueId wrt, graph::ValueId of);

/// For each value: does it depend on `wrt`, by operators without gradient, too?
std::vector<bool> values_behind(const graph::Graph& graph, graph::ValueId wrt);

/// Throws Error unsupported where `of` depends on `wrt` through a float that its reader has no
/// gradient for: the sum over paths would lack one, and nobody would see it. Where the reader makes
/// integers or flags of it, the slope is 0.
void require_every_path(const graph::Graph& graph, graph::ValueId wrt, graph::ValueId of);

/// True where the backward pass goes through the node: an output and an input with a gradient lie
/// on it.
bool on_path(const graph::Node& node, const std::vector<bool>& path);

/// A bit per input of the node that lies on it.
unsigned wanted_inputs(const graph::Node& node, const std::vector<bool>& path);

/// Of the places along an axis of a value, those that `path` leads to: all, but of what is a
/// concatenation of things on it and others along that axis.
struct Places {
  std::int64_t first = 0, last = 0;
};
Places places_on_path(const graph::Graph& graph, const std::vector<bool>& path,
                      graph::ValueId value, std::size_t axis);

/// One sentence: why no gradient leads from `of` back to `wrt`, naming the operators that stop it.
std::string explain_missing_path(const graph::Graph& graph, graph::ValueId wrt, graph::ValueId of);

}  // namespace fovea::engine
