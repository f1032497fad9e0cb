#pragma once

#include "graph/op_traits.hpp"

/// The rows of what picks and selects.
namespace fovea::graph::trait {

// clang-format off
template <> inline constexpr Row row<Gather> = {
    "Gather", alters, layout_by_fields, rows_by_fields, places_kept, batch_axis_by_fields, reaches_all,
    folded, no_head, no_sums, gate_kept, {curved, as_first_is, as_gradient, 1, second, second}};
template <> inline constexpr Row row<GatherElements> = {
    "GatherElements", alters, layout_lost, rows_mixed, places_kept, batch_axis_by_fields, reaches_all,
    folded, no_head, no_sums, gate_kept, {curved, as_first_is, as_gradient, 1, second, second}};
template <> inline constexpr Row row<GatherND> = {
    "GatherND", alters, layout_lost, rows_mixed, places_kept, batch_axis_unknown, reaches_all,
    folded, no_head, no_sums, gate_lost, kPicks};
template <> inline constexpr Row row<ScatterND> = {
    "ScatterND", alters, layout_lost, rows_mixed, places_kept, batch_axis_unknown, reaches_all,
    folded, no_head, no_sums, gate_lost, kByKind};
template <> inline constexpr Row row<ScatterElements> = {
    "ScatterElements", alters, layout_lost, rows_mixed, places_kept, batch_axis_unknown,
    reaches_all, folded, no_head, no_sums, gate_lost, kByKind};
template <> inline constexpr Row row<NonZero> = {
    "NonZero", alters, layout_lost, rows_mixed, places_kept, batch_axis_unknown, reaches_all,
    folded, no_head, no_sums, gate_lost, kNoGradient};
template <> inline constexpr Row row<TopK> = {
    "TopK", alters, layout_lost, rows_mixed, places_kept, batch_axis_by_fields, reaches_all,
    not_folded, no_head, no_sums, gate_lost, kNoGradient};
template <> inline constexpr Row row<NonMaxSuppression> = {
    "NonMaxSuppression", alters, layout_lost, rows_mixed, places_kept, batch_axis_unknown,
    reaches_all, folded, no_head, no_sums, gate_lost, kNoGradient};
template <> inline constexpr Row row<RoiAlign> = {
    "RoiAlign", alters, channels_first, rows_mixed, places_new, batch_axis_unknown, reaches_all,
    not_folded, no_head, no_sums, gate_lost,
    {curved, as_first_is, in_proportion, 1, reads_by_fields, reads_by_fields}};
// clang-format on

/// Floats among the inputs to which no gradient leads by definition, a bit each. Nobody misses a
/// path through them.
template <class Operator>
inline constexpr unsigned kStoppedInputs = 0;
template <>
inline constexpr unsigned kStoppedInputs<RoiAlign> = 2;

}  // namespace fovea::graph::trait
