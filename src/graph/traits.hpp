#pragma once

#include <string_view>

/// What can be said of an operator (graph/op_traits.hpp says it of each).
namespace fovea::graph::trait {

/// Is the result of one input's type and shape that input?
enum class Copies { alters, repeats, copies_by_fields };

/// Where the result keeps its channels and positions.
enum class Layout {
  in_place,                ///< as the first operand of the result's rank
  channels_first,          ///< [n, c, positions...], whatever came in
  kept_or_channels_first,  ///< as the first input; channels first where that is not known
  layout_lost,
  layout_by_fields,
};

/// Which rows of an axis of its inputs a row of the result depends on.
enum class Rows { rows_apart, rows_mixed, rows_by_fields };

/// The positions of a result with one axis of them.
enum class Places { places_kept, places_new, places_by_fields };

/// Which axis of the result holds the images, given that of the inputs.
enum class BatchAxis {
  as_first,                 ///< that of the first input; no other may hold images
  as_operands,              ///< that of every operand, broadcast
  as_first_axis,            ///< that of the first input, where it is its first
  as_first_two_axes,        ///< and where it is one of the first two
  as_axis_of_equal_extent,  ///< and where the extent stays
  as_first_off_axis,        ///< that of the first input; mixed along the operator's own axis
  no_batch_axis,
  batch_axis_unknown,
  batch_axis_by_fields,
};

/// Which positions of the inputs a position of the result depends on.
enum class Reach { reaches_one, reaches_all, reach_by_fields };

/// How a result of constants is computed.
enum class Folding { not_folded, folded, folded_apart };

/// May a linear head hold it?
enum class Head { no_head, affine_head };

/// Sums over positions of a gradient: `sum_offer`, and `sum_backward`, too.
enum class Sums { no_sums, offers_sums, ends_sums };

/// Is a gate (a sigmoid or softmax) still one behind it?
enum class Gate { gate_lost, gate_kept, gate_by_fields };

/// As a function of its inputs.
enum class Linear {
  curved,
  piecewise_linear,
  linear_in_one_operand,  ///< where all others stay
  linear_in_first,        ///< of its operands in that one alone
};

/// When no element of the result is below 0.
enum class Sign { any_sign, never_negative, as_first_is, as_any_is, as_all_are, sign_by_fields };

/// What it does to relevance; see Treatment::Kind.
enum class Relevance { no_rule, as_gradient, passed_on, in_proportion, relevance_by_fields };

/// Which forward values a backward pass reads; those of its post-ops come on top.
enum class Reads {
  nothing,
  first,
  second,
  both,
  result,
  first_and_result,
  other_factor,  ///< of inputs 0 and 1 the one that the gradient is not of
  divisor,       ///< input 1; input 0 where the gradient is of input 1
  reads_by_fields,
};

constexpr unsigned kEveryInput = ~0u;

/// What may differ by kind.
struct Arithmetic {
  Linear linear;
  Sign sign;
  Relevance relevance;
  /// Inputs that have one, a bit each; those of post-ops come on top. A plan is refused where an
  /// input that has none leads a float to what the gradient is wanted for.
  unsigned gradients;
  Reads reads;
  Reads rescale_reads;              ///< under GradientRule::rescale
  unsigned rescales = kEveryInput;  ///< inputs that this rule goes on to; others are refused
};

struct Row {
  std::string_view name;  ///< ONNX's; empty: by fields
  Copies copies;
  Layout layout;
  Rows rows;
  Places places;
  BatchAxis batch_axis;
  Reach reach;
  Folding folding;
  Head head;
  Sums sums;
  Gate gate;
  Arithmetic arithmetic;  ///< of operators with kinds: see `arithmetic` below
};

using enum Copies;
using enum Layout;
using enum Rows;
using enum Places;
using enum BatchAxis;
using enum Reach;
using enum Folding;
using enum Head;
using enum Sums;
using enum Gate;
using enum Linear;
using enum Sign;
using enum Relevance;
using enum Reads;

}  // namespace fovea::graph::trait
