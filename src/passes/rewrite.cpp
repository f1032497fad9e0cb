#include "passes/rewrite.hpp"

#include <algorithm>
#include <utility>

namespace fovea::passes {

using graph::NodeId;
using graph::ValueId;

Rewrite::Rewrite(graph::Graph& graph, const Keep& keep)
    : graph_(graph),
      protected_(graph.values().size(), false),
      uses_(graph.uses()),
      dead_(graph.nodes().size(), false) {
  for (const auto id : keep) protected_.at(index(id)) = true;
  for (const auto id : graph.outputs) protected_[index(id)] = true;
}

NodeId Rewrite::only_reader(ValueId id) const {
  if (index(id) >= uses_.size() || is_protected(id) || uses_[index(id)].size() != 1) return {};
  const auto reader = uses_[index(id)].front();
  return is_dead(reader) ? NodeId{} : reader;
}

const graph::Node* Rewrite::producer(ValueId id) const {
  if (!id || value(id).constant || !value(id).producer) return nullptr;
  return &graph_.node(value(id).producer);
}

const graph::Node* Rewrite::inner_producer(ValueId id) const {
  return id && only_reader(id) ? producer(id) : nullptr;
}

const graph::Constant* Rewrite::constant(const graph::Node& node, std::size_t i) const {
  if (i >= node.inputs.size() || !node.inputs[i]) return nullptr;
  const auto& held = value(node.inputs[i]).constant;
  return held && held->type == graph::DType::f32 ? &*held : nullptr;
}

std::optional<double> Rewrite::scalar(ValueId id) const {
  if (!id) return std::nullopt;
  const auto& held = value(id).constant;
  if (!held || held->type != graph::DType::f32 || held->size() != 1) return std::nullopt;
  return held->floats().front();
}

void Rewrite::redirect(NodeId id, ValueId output) {
  auto& node = graph_.node(id);
  graph_.value(node.outputs[0]).producer = {};
  node.outputs[0] = output;
  graph_.value(output).producer = id;
}

ValueId Rewrite::add_constant(ValueId origin, const char* suffix, graph::Constant constant) {
  const auto name = graph_.unique_name(value(origin).name + "/" + suffix);
  const auto id = graph_.add_constant(name, std::move(constant));
  protected_.resize(graph_.values().size(), false);
  uses_.resize(graph_.values().size());
  return id;
}

bool Rewrite::finish() {
  const bool any = std::find(dead_.begin(), dead_.end(), true) != dead_.end();
  if (any) graph_.erase_nodes(dead_);
  return any;
}

}  // namespace fovea::passes
