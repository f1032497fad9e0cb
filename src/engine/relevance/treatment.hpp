#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/ops/op.hpp"
#include "engine/relevance.hpp"
#include "graph/graph.hpp"

/// What each node of a graph does to relevance.
namespace fovea::engine {

/// The rule that is a layer's own sum, x * W^T (R / (W x + b)): it needs no other weights.
bool is_plain(const LinearRule& rule);

struct Treatment {
  enum class Kind {
    plain,   ///< as the gradient: it moves values about, or picks one
    pass,    ///< relevance goes on unchanged, to the inputs in `to`
    norm,    ///< in proportion: x_i * J_i^T (R / y) for the inputs in `to`
    linear,  ///< by `rule`
    cells,   ///< through a recurrent operator's steps; `rule` has the stabilizer
    none,    ///< there is no rule
  } kind = Kind::none;
  unsigned to = 1;  ///< a bit per input
  float share = 1;  ///< of what each input in `to` gets
  const LinearRule* rule = nullptr;
};

/// A Relevance bound to a graph: names are found before passes change it.
class RelevanceRules {
 public:
  /// `source`: the graph that the user's names are of. Throws Error invalid_argument for a layer
  /// that does not exist or that has no rule.
  RelevanceRules(const graph::Graph& source, Relevance relevance);

  /// The graph that the rest is asked of: a copy of the source after passes.
  void settle(const graph::Graph& graph);

  Treatment of(const graph::Node& node) const;
  /// What the backward pass through the node reads.
  BackwardReads reads(const graph::Node& node, unsigned wanted) const;
  /// No value is below 0, whatever the input.
  bool non_negative(graph::ValueId id) const {
    return non_negative_[static_cast<std::size_t>(id.index)];
  }

 private:
  struct Named {
    graph::ValueId value;
    std::string node;
    LinearRule rule;
  };
  const LinearRule& rule_of(const graph::Node& node) const;
  bool is_constant(graph::ValueId id) const { return graph_->value(id).constant.has_value(); }
  bool is_gate(graph::ValueId id) const;
  /// Of operators whose row leaves it to them.
  Treatment by_fields(const graph::Binary& op, const graph::Node& node) const;
  Treatment by_fields(const graph::Gemm& op, const graph::Node& node) const;
  Treatment by_fields(const graph::MatMul& op, const graph::Node& node) const;
  Treatment by_fields(const graph::Einsum& op, const graph::Node& node) const;
  Treatment by_fields(const graph::GridSample& op, const graph::Node& node) const;
  Treatment by_fields(const graph::Recurrent& op, const graph::Node& node) const;
  Treatment of_product(const graph::Node& node) const;

  Relevance relevance_;
  std::vector<Named> named_;
  const graph::Graph* graph_ = nullptr;
  std::vector<bool> first_;         ///< per value: made from inputs by no linear layer
  std::vector<bool> non_negative_;  ///< per value
};

}  // namespace fovea::engine
