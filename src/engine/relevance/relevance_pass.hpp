#pragma once

#include <vector>

#include "engine/ops/op.hpp"
#include "engine/relevance/steps.hpp"
#include "engine/relevance/treatment.hpp"

namespace fovea::engine {

/// The steps of a backward pass that carries relevance.
class RelevancePass {
 public:
  /// `images`: those of the scores.
  RelevancePass(Builder& builder, const RelevanceRules& rules, std::int64_t images)
      : b_(builder), rules_(rules), losses_(builder, images) {}

  /// One node; relevance reaches some output of it. Throws Error unsupported where the node has no
  /// rule.
  void back(const graph::Node& node, Gradients& relevance, const std::vector<bool>& path);

  /// [images, 2] doubles: what biases and stabilizers absorbed.
  const Operand& absorbed() const { return losses_.tensor(); }

 private:
  /// What the plan kept for the backward pass through the node.
  BackwardReads reads_of(const graph::Node& node, const std::vector<bool>& path) const;
  void plain(const graph::Node& node, Gradients& relevance, const std::vector<bool>& path);
  void pass(const Treatment& treatment, BackwardContext& context);
  void norm(const Treatment& treatment, const graph::Node& node, Gradients& relevance,
            const std::vector<bool>& path);
  void linear(const LinearRule& rule, BackwardContext& context);
  template <class Op>
  void by_rule(const Op& op, const LinearRule& rule, BackwardContext& context);

  Builder& b_;
  const RelevanceRules& rules_;
  Losses losses_;
};

}  // namespace fovea::engine
