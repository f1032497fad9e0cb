#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/graph.hpp"

namespace fovea::graph::detail {

inline constexpr std::size_t kMaxEinsumOperands = 26;  ///< more are refused

/// An equation of Einsum for operands of known shapes: letters alone, the result written out.
struct EinsumTerms {
  std::vector<std::string> operands;
  std::string result;
  std::map<char, std::int64_t> extents;  ///< of the letters: the largest of the operands'

  std::string equation() const;
  Shape shape_of(std::string_view letters) const;
};

/// Throws bad_model, or unsupported, of an equation that does not fit the shapes.
EinsumTerms resolve_einsum(std::string_view equation, const std::vector<Shape>& shapes);

/// Of the nodes that are put in front of every Einsum of more than two operands, one fewer than it
/// has operands to spare, the first ones, by index: the Einsum that each stands before.
using RoomForPairs = std::unordered_map<std::int32_t, NodeId>;
/// Until `contract_in_pairs` they read what the Einsum reads.
RoomForPairs make_room_for_pairs(Graph& graph);

/// Of an Einsum whose operands' shapes are known by now: the nodes from `first` on, up to the
/// Einsum, become products of two, the pair with the smallest product first.
void contract_in_pairs(Graph& graph, NodeId first, NodeId einsum);

}  // namespace fovea::graph::detail
