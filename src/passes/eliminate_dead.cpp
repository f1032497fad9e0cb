#include <algorithm>

#include "passes/rewrite.hpp"

namespace fovea::passes {

bool eliminate_dead(graph::Graph& graph, const Keep& keep) {
  Rewrite rewrite(graph, keep);
  std::vector<bool> needed(graph.values().size(), false);
  for (std::size_t v = 0; v < needed.size(); ++v)
    needed[v] = rewrite.is_protected({static_cast<std::int32_t>(v)});
  for (auto n = graph.nodes().size(); n-- > 0;) {
    const auto& node = graph.nodes()[n];
    const bool alive = std::any_of(node.outputs.begin(), node.outputs.end(), [&](auto id) {
      return needed[static_cast<std::size_t>(id.index)] && !graph.value(id).constant;
    });
    if (!alive) {
      rewrite.kill({static_cast<std::int32_t>(n)});
      continue;
    }
    for (const auto id : node.inputs)
      if (id) needed[static_cast<std::size_t>(id.index)] = true;
  }
  return rewrite.finish();
}

}  // namespace fovea::passes
