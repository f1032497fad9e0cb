#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace fovea::graph::detail {

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

/// Where the node is an Einsum of more than two operands whose shapes are known: puts nodes of two
/// in front of it until it has two left, the pair with the smallest product first.
void contract_in_pairs(Graph& graph, NodeId id);

}  // namespace fovea::graph::detail
