#pragma once

#include <string_view>
#include <variant>

#include "graph/graph.hpp"

namespace fovea::graph {

/// The operator type of a choice: a Where[condition, then, else] that holds one branch's value,
/// whatever the other's type and shape. Binding, which has to know the condition, makes it an
/// Identity of that branch. A branch that is absent was not read.
inline constexpr std::string_view kChoice = "If";

inline bool is_choice(const Node& node) {
  return node.op_type == kChoice && std::holds_alternative<Where>(node.op);
}

/// A choice goes on with the branches that are left. False where there is none, or no condition, or
/// the node is no choice.
template <class IsLost>
bool keeps_a_branch(Node& node, const IsLost& is_lost) {
  if (!is_choice(node) || is_lost(node.inputs.at(0))) return false;
  for (auto& input : node.inputs)
    if (is_lost(input)) input = {};
  while (!node.inputs.back()) node.inputs.pop_back();
  return node.inputs.size() > 1;
}

}  // namespace fovea::graph
