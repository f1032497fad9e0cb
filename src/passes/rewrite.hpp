#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "passes/passes.hpp"

namespace fovea::passes {

/// What the passes ask of a graph while they change it: who reads a value, what must stay.
class Rewrite {
 public:
  Rewrite(graph::Graph& graph, const Keep& keep);

  graph::Graph& graph() { return graph_; }
  const graph::Value& value(graph::ValueId id) const { return graph_.value(id); }

  const graph::Node& node(graph::NodeId id) const { return graph_.node(id); }
  /// Every reader of the value, dead or alive.
  const std::vector<graph::NodeId>& readers(graph::ValueId id) const { return uses_[index(id)]; }

  /// In `keep`, or an output of the graph.
  bool is_protected(graph::ValueId id) const { return protected_[index(id)]; }

  /// The only reader of the value; none where there are several, or where the value must stay.
  graph::NodeId only_reader(graph::ValueId id) const;

  /// The node that computes the value; null for inputs and constants.
  const graph::Node* producer(graph::ValueId id) const;

  /// The same for a value that nothing but its one reader needs: it may be swallowed.
  const graph::Node* inner_producer(graph::ValueId id) const;

  /// The f32 constant behind input i; null where it is absent, computed or of another type.
  const graph::Constant* constant(const graph::Node& node, std::size_t i) const;

  /// The number that a constant of one element holds.
  std::optional<double> scalar(graph::ValueId id) const;

  bool is_dead(graph::NodeId id) const { return dead_[static_cast<std::size_t>(id.index)]; }
  void kill(graph::NodeId id) { dead_[static_cast<std::size_t>(id.index)] = true; }
  /// Undoes kill, for a place that another node takes.
  void revive(graph::NodeId id) { dead_[static_cast<std::size_t>(id.index)] = false; }

  /// Lets the node write `output` in place of what it wrote.
  void redirect(graph::NodeId id, graph::ValueId output);

  /// Adds a constant under a name made from that of `origin`: "<origin>/<suffix>".
  graph::ValueId add_constant(graph::ValueId origin, const char* suffix, graph::Constant constant);

  /// Erases what was killed. True where there was anything.
  bool finish();

 private:
  static std::size_t index(graph::ValueId id) { return static_cast<std::size_t>(id.index); }

  graph::Graph& graph_;
  std::vector<bool> protected_;
  std::vector<std::vector<graph::NodeId>> uses_;
  std::vector<bool> dead_;
};

}  // namespace fovea::passes
