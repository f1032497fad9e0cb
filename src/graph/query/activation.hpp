#pragma once

#include <optional>

#include "graph/graph.hpp"

/// What a network makes of its logits at the end.
namespace fovea::graph::detail {

/// A softmax, its logarithm or a sigmoid, as an operator or spelled out.
struct Activation {
  enum class Kind { softmax, log_softmax, sigmoid } kind = Kind::softmax;
  ValueId of;  ///< the value before, of the same extents
  Ints axes;   ///< of a softmax: those it sums over
};
/// The activation that computes the value.
std::optional<Activation> activation_of(const Graph& graph, ValueId id);

/// Are the value's elements made of those of a softmax or sigmoid (a part of them, sums, products
/// among themselves, affine functions of them), with no operator with weights between? A gate is
/// not: a sigmoid or softmax that what it multiplies is no probability.
bool is_of_probabilities(const Graph& graph, ValueId id);

/// Is the constant one number, however often?
std::optional<float> only_number(const Graph& graph, ValueId id);

/// What networks keep probabilities away from 0 and 1 with, so that a logarithm or a quotient
/// remains finite.
constexpr float kRounding = 2e-6f;
/// Is the constant one number, 0 or positive, that is not above it?
bool is_rounding(const Graph& graph, ValueId id);

/// The value of which `id` is a copy of another type or under other extents in the same order.
ValueId skip_views(const Graph& graph, ValueId id);

/// Do the elements change places?
bool keeps_order(const Graph& graph, const Node& node);

}  // namespace fovea::graph::detail
