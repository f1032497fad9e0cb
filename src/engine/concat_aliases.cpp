#include "engine/concat_aliases.hpp"

#include <algorithm>

namespace fovea::engine {
namespace {

std::int64_t channels(const graph::Graph& graph, graph::ValueId id) {
  return graph.value(id).shape[1];
}

}  // namespace

bool concatenates_in_place(const graph::Graph& graph, const graph::Node& node) {
  const auto* concat = std::get_if<graph::Concat>(&node.op);
  if (concat == nullptr || concat->axis != 1) return false;
  const auto& out = graph.value(node.outputs[0]);
  const auto block = home_block();
  if (out.type != graph::DType::f32 || !home_desc(out.shape, Type::f32) || out.shape[0] != 1)
    return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](graph::ValueId id) {
    return channels(graph, id) > 0 && channels(graph, id) % block == 0;
  });
}

ConcatAliases::ConcatAliases(const graph::Graph& graph, const std::vector<bool>& needed) {
  std::vector<const graph::Node*> nodes;
  for (std::size_t i = 0; i < needed.size(); ++i)
    if (needed[i] && concatenates_in_place(graph, graph.nodes()[i]))
      nodes.push_back(&graph.nodes()[i]);
  // The widest first: what it takes in place, the narrower ones find there.
  std::stable_sort(nodes.begin(), nodes.end(), [&](const auto* a, const auto* b) {
    return channels(graph, a->outputs[0]) > channels(graph, b->outputs[0]);
  });
  for (const auto* node : nodes) place(graph, *node);
}

void ConcatAliases::place(const graph::Graph& graph, const graph::Node& node) {
  const auto out = node.outputs[0];
  if (!of(out)) {
    const auto first = of(node.inputs[0]);
    auto next = first;
    const bool there = first && std::all_of(node.inputs.begin(), node.inputs.end(), [&](auto id) {
                         const auto alias = of(id);
                         if (!alias || alias->root != next->root || alias->channel != next->channel)
                           return false;
                         next->channel += channels(graph, id);
                         return true;
                       });
    aliases_[out.index] = there ? *first : ConcatAlias{out, 0};
    if (there) return;
  }
  auto at = aliases_.at(out.index);
  for (const auto id : node.inputs) {
    // A value is in one place only; elsewhere it is copied.
    if (graph.value(id).producer) aliases_.emplace(id.index, at);
    at.channel += channels(graph, id);
  }
}

std::optional<ConcatAlias> ConcatAliases::of(graph::ValueId id) const {
  const auto it = aliases_.find(id.index);
  return it == aliases_.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace fovea::engine
