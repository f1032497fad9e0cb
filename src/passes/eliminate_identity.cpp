#include "graph/query.hpp"
#include "passes/rewrite.hpp"

//   x -> [copy] -> y -> readers        x -> readers
//
// Where y must stay and x need not, the node before writes y itself.
namespace fovea::passes {
namespace {

using graph::ValueId;

/// Which value stands for which. Chains are followed, and shortened on the way.
class Aliases {
 public:
  explicit Aliases(std::size_t count) : of_(count) {}

  void set(ValueId id, ValueId now) { at(id) = now; }

  ValueId find(ValueId id) {
    if (!id) return id;
    auto root = id;
    while (at(root)) root = at(root);
    while (at(id)) {
      const auto next = at(id);
      at(id) = root;
      id = next;
    }
    return root;
  }

 private:
  ValueId& at(ValueId id) { return of_[static_cast<std::size_t>(id.index)]; }
  std::vector<ValueId> of_;
};

}  // namespace

bool eliminate_identity(graph::Graph& graph, const Keep& keep) {
  Rewrite rewrite(graph, keep);
  Aliases aliases(graph.values().size());
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const graph::NodeId id{static_cast<std::int32_t>(n)};
    auto& node = graph.node(id);
    for (auto& input : node.inputs) input = aliases.find(input);
    if (!graph::is_copy(graph, node)) continue;
    const auto x = node.inputs[0];
    const auto y = node.outputs[0];
    if (!rewrite.is_protected(y)) {
      aliases.set(y, x);
      rewrite.kill(id);
      continue;
    }
    const auto* before = rewrite.producer(x);
    if (before == nullptr || rewrite.is_protected(x) || before->outputs.size() != 1) continue;
    rewrite.kill(id);
    rewrite.redirect(graph.value(x).producer, y);
    aliases.set(x, y);
  }
  // Readers that stand before the copy whose output took their input's place.
  for (std::size_t n = 0; n < graph.nodes().size(); ++n)
    for (auto& input : graph.node({static_cast<std::int32_t>(n)}).inputs)
      input = aliases.find(input);
  return rewrite.finish();
}

}  // namespace fovea::passes
