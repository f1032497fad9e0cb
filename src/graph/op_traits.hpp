#pragma once

#include <type_traits>

#include "graph/op.hpp"
#include "graph/traits.hpp"

/// What is known of each operator, once: a row that the queries, the passes and the backward pass
/// read. An operator without a row does not compile. Where a row says `..._by_fields`, the reader
/// has an overload for that operator, or it does not compile either.
namespace fovea::graph::trait {

constexpr Arithmetic arithmetic_of(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::identity:
      return {piecewise_linear, as_first_is, passed_on, 1, nothing, nothing};
    case UnaryKind::relu:
      return {piecewise_linear, never_negative, passed_on, 1, result, first};
    case UnaryKind::leaky_relu:
      return {piecewise_linear, as_first_is, passed_on, 1, reads_by_fields, first};
    case UnaryKind::clip:
      return {piecewise_linear, sign_by_fields, passed_on, 1, result, first};
    case UnaryKind::hard_sigmoid:
    case UnaryKind::abs:
      return {piecewise_linear, never_negative, passed_on, 1, first, first};
    case UnaryKind::neg:
      return {piecewise_linear, any_sign, passed_on, 1, first, first};
    case UnaryKind::sigmoid:
    case UnaryKind::softplus:
    case UnaryKind::exp:
    case UnaryKind::sqrt:
    case UnaryKind::acos:
    case UnaryKind::cosh:
    case UnaryKind::acosh:
      return {curved, never_negative, passed_on, 1, first, first};
    case UnaryKind::elu:
    case UnaryKind::selu:
    case UnaryKind::celu:
    case UnaryKind::hard_swish:
    case UnaryKind::tanh:
    case UnaryKind::softsign:
    case UnaryKind::mish:
    case UnaryKind::gelu:
    case UnaryKind::gelu_tanh:
    case UnaryKind::silu:
    case UnaryKind::asin:
    case UnaryKind::atan:
    case UnaryKind::sinh:
    case UnaryKind::asinh:
    case UnaryKind::atanh:
      return {curved, as_first_is, passed_on, 1, first, first};
    case UnaryKind::erf:
    case UnaryKind::log:
    case UnaryKind::reciprocal:
    case UnaryKind::sin:
    case UnaryKind::cos:
    case UnaryKind::tan:
      return {curved, any_sign, passed_on, 1, first, first};
    case UnaryKind::floor:
    case UnaryKind::ceil:
    case UnaryKind::round:
    case UnaryKind::sign:
      return {curved, any_sign, no_rule, 1, first, first};
    case UnaryKind::is_nan:
    case UnaryKind::is_inf:
    case UnaryKind::logical_not:
      break;
  }
  return {curved, any_sign, no_rule, 0, nothing, nothing};
}

constexpr Arithmetic arithmetic_of(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::add:
      return {piecewise_linear, as_all_are, relevance_by_fields, 3, nothing, nothing};
    case BinaryKind::sub:
      return {piecewise_linear, any_sign, relevance_by_fields, 3, nothing, nothing};
    case BinaryKind::mul:
      return {linear_in_one_operand, as_all_are,  relevance_by_fields, 3,
              other_factor,          other_factor};
    case BinaryKind::div:
      return {linear_in_first, as_all_are, relevance_by_fields, 3, divisor, both};
    case BinaryKind::pow:
      return {curved, any_sign, relevance_by_fields, 3, both, both};
    case BinaryKind::max:
      return {piecewise_linear, as_any_is, relevance_by_fields, 3, both, both};
    case BinaryKind::min:
      return {piecewise_linear, as_all_are, relevance_by_fields, 3, both, both};
    case BinaryKind::mod:
    case BinaryKind::fmod:
    case BinaryKind::bit_and:
    case BinaryKind::bit_or:
    case BinaryKind::bit_xor:
    case BinaryKind::shift_left:
    case BinaryKind::shift_right:
    case BinaryKind::equal:
    case BinaryKind::less:
    case BinaryKind::less_or_equal:
    case BinaryKind::greater:
    case BinaryKind::greater_or_equal:
    case BinaryKind::logical_and:
    case BinaryKind::logical_or:
    case BinaryKind::logical_xor:
      break;
  }
  return {curved, any_sign, no_rule, 0, nothing, nothing};
}

constexpr Arithmetic arithmetic_of(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::mean:
    case ReduceKind::sum:
      return {piecewise_linear, as_first_is, in_proportion, 1, nothing, nothing};
    case ReduceKind::max:
    case ReduceKind::min:
      return {piecewise_linear, as_first_is, as_gradient, 1, first_and_result, first_and_result};
    case ReduceKind::prod:
    case ReduceKind::l2:
      return {curved, as_first_is, no_rule, 1, first_and_result, first_and_result};
    case ReduceKind::l1:
    case ReduceKind::sum_square:
      return {curved, as_first_is, no_rule, 1, first, first};
    case ReduceKind::log_sum_exp:
      return {curved, any_sign, no_rule, 1, first_and_result, first_and_result};
    case ReduceKind::arg_max:
      break;
  }
  return {curved, any_sign, no_rule, 0, nothing, nothing};
}

constexpr Arithmetic arithmetic_of(PoolKind kind) {
  switch (kind) {
    case PoolKind::max:
      return {piecewise_linear, as_first_is, as_gradient, 1, first, first};
    case PoolKind::average:
      return {piecewise_linear, as_first_is, in_proportion, 1, nothing, nothing};
    case PoolKind::arg_max:
      break;
  }
  return {curved, any_sign, no_rule, 0, nothing, nothing};
}

constexpr Arithmetic arithmetic_of(ScatterKind kind) {
  switch (kind) {
    case ScatterKind::replace:
    case ScatterKind::add:
      return {curved, any_sign, as_gradient, 5, second, second};
    case ScatterKind::mul:
    case ScatterKind::max:
    case ScatterKind::min:
      break;
  }
  return {curved, any_sign, no_rule, 0, nothing, nothing};
}

/// Of an lstm the state c, too.
constexpr Arithmetic arithmetic_of(CellKind kind) {
  return {curved,
          any_sign,
          relevance_by_fields,
          kind == CellKind::lstm ? 97u : 33u,
          reads_by_fields,
          reads_by_fields,
          0};
}

/// Of Cast: what becomes integers or flags has no gradient.
constexpr Arithmetic arithmetic_of(DType to) {
  return {curved, any_sign, as_gradient, to == DType::f32 ? 1u : 0u, nothing, nothing};
}

template <class Operator>
requires requires(const Operator& op) {
  arithmetic_of(op.kind);
}
constexpr auto kind_of(const Operator& op) {
  return op.kind;
}
constexpr DType kind_of(const Cast& op) {
  return op.to;
}
constexpr int kinds(UnaryKind) {
  return static_cast<int>(UnaryKind::logical_not) + 1;
}
constexpr int kinds(BinaryKind) {
  return static_cast<int>(BinaryKind::logical_xor) + 1;
}
constexpr int kinds(ReduceKind) {
  return static_cast<int>(ReduceKind::arg_max) + 1;
}
constexpr int kinds(PoolKind) {
  return static_cast<int>(PoolKind::arg_max) + 1;
}
constexpr int kinds(ScatterKind) {
  return static_cast<int>(ScatterKind::min) + 1;
}
constexpr int kinds(CellKind) {
  return static_cast<int>(CellKind::lstm) + 1;
}
constexpr int kinds(DType) {
  return static_cast<int>(DType::boolean) + 1;
}

/// In place of a row's arithmetic.
constexpr Arithmetic kByKind = {curved, any_sign, no_rule, 0, nothing, nothing};
/// Of what is constant by the time a plan is built, or part of no backward pass.
constexpr Arithmetic kNoGradient = {curved, any_sign, no_rule, 0, nothing, nothing};
/// Of what moves values about, and keeps their signs.
constexpr Arithmetic kMoves = {piecewise_linear, as_first_is, as_gradient, 1, nothing, nothing};
/// Of what picks values by the indices in input 1.
constexpr Arithmetic kPicks = {curved, any_sign, as_gradient, 1, second, second};
/// Of what scales by its input's own statistics.
constexpr Arithmetic kNormalises = {curved, any_sign, passed_on, 7, reads_by_fields, both, 1};

/// The row of an operator; none: add it here.
template <class Operator>
inline constexpr Row row = Operator::has_no_row_of_traits;

// In the order of Row: name, copies, layout, rows, places, pictures, reach, folding, head, sums,
// gate.
// clang-format off
template <> inline constexpr Row row<Unary> = {
    "", copies_by_fields, in_place, rows_apart, places_kept, as_first, reaches_one, folded,
    affine_head, offers_sums, gate_by_fields, kByKind};
template <> inline constexpr Row row<Binary> = {
    "", alters, in_place, rows_apart, places_kept, as_operands, reach_by_fields, folded,
    affine_head, no_sums, gate_lost, kByKind};
template <> inline constexpr Row row<PRelu> = {
    "PRelu", alters, in_place, rows_apart, places_kept, as_operands, reach_by_fields, folded,
    no_head, no_sums, gate_lost, {linear_in_one_operand, any_sign, passed_on, 3, both, both}};
template <> inline constexpr Row row<Where> = {
    "Where", alters, in_place, rows_apart, places_kept, as_operands, reaches_all, folded, no_head,
    no_sums, gate_lost, {curved, any_sign, as_gradient, 6, first, first}};
template <> inline constexpr Row row<Conv> = {
    "Conv", alters, channels_first, rows_mixed, places_new, batch_axis_by_fields, reach_by_fields,
    not_folded, affine_head, no_sums, gate_lost,
    {linear_in_one_operand, sign_by_fields, no_rule, 7, other_factor, other_factor, 1}};
template <> inline constexpr Row row<ConvTranspose> = {
    "ConvTranspose", alters, channels_first, rows_mixed, places_kept, batch_axis_by_fields,
    reaches_all, not_folded, no_head, no_sums, gate_lost,
    {linear_in_one_operand, any_sign, no_rule, 7, other_factor, other_factor, 1}};
template <> inline constexpr Row row<Pool> = {
    "", copies_by_fields, channels_first, rows_mixed, places_new, as_first_two_axes,
    reach_by_fields, folded, no_head, offers_sums, gate_lost, kByKind};
template <> inline constexpr Row row<Gemm> = {
    "Gemm", alters, layout_lost, rows_by_fields, places_kept, batch_axis_by_fields, reaches_all,
    folded, affine_head, ends_sums, gate_lost,
    {linear_in_one_operand, sign_by_fields, relevance_by_fields, kEveryInput, other_factor,
     other_factor}};
template <> inline constexpr Row row<MatMul> = {
    "MatMul", alters, layout_by_fields, rows_by_fields, places_kept, batch_axis_by_fields,
    reaches_all, folded, affine_head, ends_sums, gate_lost,
    {linear_in_one_operand, sign_by_fields, relevance_by_fields, 3, other_factor, other_factor}};
template <> inline constexpr Row row<Einsum> = {
    "Einsum", alters, layout_lost, rows_by_fields, places_kept, batch_axis_by_fields, reaches_all,
    folded, no_head, no_sums, gate_lost,
    {curved, any_sign, relevance_by_fields, 3, other_factor, other_factor}};
template <> inline constexpr Row row<BatchNorm> = {
    "BatchNormalization", alters, kept_or_channels_first, rows_by_fields, places_kept, as_first,
    reach_by_fields, not_folded, affine_head, no_sums, gate_lost,
    {linear_in_first, sign_by_fields, passed_on, 31, reads_by_fields, reads_by_fields, 1}};
template <> inline constexpr Row row<LayerNorm> = {
    "LayerNormalization", alters, layout_by_fields, rows_by_fields, places_kept,
    batch_axis_by_fields, reaches_all, not_folded, no_head, no_sums, gate_lost, kNormalises};
template <> inline constexpr Row row<InstanceNorm> = {
    "InstanceNormalization", alters, kept_or_channels_first, rows_mixed, places_kept,
    as_first_two_axes, reaches_all, not_folded, no_head, no_sums, gate_lost, kNormalises};
template <> inline constexpr Row row<GroupNorm> = {
    "GroupNormalization", alters, kept_or_channels_first, rows_mixed, places_kept, as_first_axis,
    reaches_all, not_folded, no_head, no_sums, gate_lost, kNormalises};
template <> inline constexpr Row row<Lrn> = {
    "LRN", alters, kept_or_channels_first, rows_mixed, places_kept, as_first_axis, reaches_one,
    not_folded, no_head, no_sums, gate_lost, {curved, as_first_is, passed_on, 1, first, first}};
template <> inline constexpr Row row<Softmax> = {
    "", alters, in_place, rows_by_fields, places_kept, batch_axis_by_fields, reaches_all,
    not_folded, no_head, no_sums, gate_by_fields,
    {curved, sign_by_fields, passed_on, 1, result, first}};
template <> inline constexpr Row row<Hardmax> = {
    "Hardmax", alters, in_place, rows_mixed, places_kept, batch_axis_by_fields, reaches_all,
    not_folded, no_head, no_sums, gate_lost,
    {curved, never_negative, no_rule, 1, nothing, nothing}};
template <> inline constexpr Row row<Reduce> = {
    "", copies_by_fields, layout_by_fields, rows_by_fields, places_kept, batch_axis_by_fields,
    reaches_all, folded, no_head, offers_sums, gate_lost, kByKind};
template <> inline constexpr Row row<CumSum> = {
    "CumSum", alters, in_place, rows_mixed, places_kept, as_first_off_axis, reaches_all, folded,
    no_head, no_sums, gate_lost,
    {piecewise_linear, as_first_is, in_proportion, 1, nothing, nothing}};
template <> inline constexpr Row row<Recurrent> = {
    "", alters, layout_lost, rows_mixed, places_kept, batch_axis_by_fields, reaches_all,
    not_folded, no_head, no_sums, gate_lost, kByKind};
template <> inline constexpr Row row<Concat> = {
    "Concat", copies_by_fields, in_place, rows_by_fields, places_by_fields, batch_axis_by_fields,
    reach_by_fields, folded, no_head, no_sums, gate_lost,
    {piecewise_linear, as_all_are, as_gradient, kEveryInput, nothing, nothing}};
template <> inline constexpr Row row<Split> = {
    "Split", copies_by_fields, in_place, rows_by_fields, places_kept, batch_axis_by_fields,
    reaches_all, folded_apart, no_head, no_sums, gate_kept, kMoves};
template <> inline constexpr Row row<Slice> = {
    "Slice", copies_by_fields, in_place, rows_by_fields, places_by_fields, batch_axis_by_fields,
    reaches_all, folded, no_head, no_sums, gate_kept, kMoves};
template <> inline constexpr Row row<Pad> = {
    "Pad", copies_by_fields, in_place, rows_mixed, places_kept, as_axis_of_equal_extent,
    reach_by_fields, folded, no_head, no_sums, gate_lost,
    {piecewise_linear, sign_by_fields, as_gradient, 1, nothing, nothing}};
template <> inline constexpr Row row<Reshape> = {
    "", repeats, layout_by_fields, rows_by_fields, places_by_fields, batch_axis_by_fields,
    reaches_all, folded, affine_head, offers_sums, gate_kept, kMoves};
template <> inline constexpr Row row<Transpose> = {
    "Transpose", copies_by_fields, layout_by_fields, rows_by_fields, places_kept,
    batch_axis_by_fields, reaches_all, folded, affine_head, offers_sums, gate_kept, kMoves};
template <> inline constexpr Row row<Expand> = {
    "Expand", repeats, in_place, rows_apart, places_kept, as_operands, reaches_all, folded,
    no_head, no_sums, gate_kept, kMoves};
template <> inline constexpr Row row<Tile> = {
    "Tile", repeats, in_place, rows_mixed, places_kept, as_first, reaches_all, folded, no_head,
    no_sums, gate_lost, kMoves};
template <> inline constexpr Row row<Resize> = {
    "", copies_by_fields, in_place, rows_mixed, places_kept, batch_axis_by_fields, reaches_all,
    not_folded, no_head, no_sums, gate_by_fields,
    {piecewise_linear, sign_by_fields, as_gradient, 1, nothing, nothing}};
template <> inline constexpr Row row<GridSample> = {
    "GridSample", alters, channels_first, rows_mixed, places_new, batch_axis_by_fields, reaches_all,
    not_folded, no_head, no_sums, gate_lost,
    {curved, any_sign, relevance_by_fields, 3, both, both}};
template <> inline constexpr Row row<Col2Im> = {
    "Col2Im", alters, channels_first, rows_mixed, places_new, as_first_axis, reaches_all,
    not_folded, no_head, no_sums, gate_lost,
    {piecewise_linear, as_first_is, in_proportion, 1, nothing, nothing}};
template <> inline constexpr Row row<DepthToSpace> = {
    "DepthToSpace", copies_by_fields, channels_first, rows_mixed, places_kept, as_first_axis,
    reaches_all, not_folded, no_head, no_sums, gate_lost, kMoves};
template <> inline constexpr Row row<SpaceToDepth> = {
    "SpaceToDepth", copies_by_fields, channels_first, rows_mixed, places_kept, as_first_axis,
    reaches_all, not_folded, no_head, no_sums, gate_lost, kMoves};
template <> inline constexpr Row row<Paste> = {
    "Paste", alters, in_place, rows_mixed, places_kept, batch_axis_unknown, reaches_all, not_folded,
    no_head, no_sums, gate_lost, kNoGradient};
template <> inline constexpr Row row<Cast> = {
    "Cast", repeats, in_place, rows_apart, places_kept, as_first, reaches_all, folded, no_head,
    no_sums, gate_kept, kByKind};
template <> inline constexpr Row row<ConstantOfShape> = {
    "ConstantOfShape", alters, in_place, rows_mixed, places_kept, no_batch_axis, reaches_all,
    folded, no_head, no_sums, gate_lost, kNoGradient};
template <> inline constexpr Row row<Range> = {
    "Range", alters, in_place, rows_mixed, places_kept, batch_axis_unknown, reaches_all, folded,
    no_head, no_sums, gate_lost, kNoGradient};
template <> inline constexpr Row row<ShapeOf> = {
    "Shape", alters, in_place, rows_mixed, places_kept, no_batch_axis, reaches_all, folded_apart,
    no_head, no_sums, gate_lost, kNoGradient};
template <> inline constexpr Row row<SizeOf> = {
    "Size", alters, in_place, rows_mixed, places_kept, no_batch_axis, reaches_all, folded_apart,
    no_head, no_sums, gate_lost, kNoGradient};
// clang-format on

template <class Operator>
concept HasKinds = requires(const Operator& op) {
  kind_of(op);
};

template <class Operator>
constexpr Arithmetic arithmetic(const Operator& op) {
  if constexpr (HasKinds<Operator>)
    return arithmetic_of(kind_of(op));
  else
    return row<Operator>.arithmetic;
}

/// Is it so of any use of the operator? `Test` is asked of each arithmetic that it may have.
template <class Operator, class Test>
constexpr bool of_any_kind(Test test) {
  if constexpr (HasKinds<Operator>) {
    using Kind = decltype(kind_of(std::declval<const Operator&>()));
    for (int k = 0; k < kinds(Kind{}); ++k)
      if (test(arithmetic_of(static_cast<Kind>(k)))) return true;
    return false;
  } else {
    return test(row<Operator>.arithmetic);
  }
}

}  // namespace fovea::graph::trait

#include "graph/selection_traits.hpp"
