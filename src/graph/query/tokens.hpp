#pragma once

#include <optional>
#include <vector>

#include "graph/query.hpp"
#include "graph/query/edges.hpp"
#include "graph/query/live.hpp"

/// Sequences of tokens: which grid they lie on, and whether the scores see it.
namespace fovea::graph {

/// Where a value's positions come from: of those along its one axis of positions, `prefix` come
/// first and the grid's after them, in row-major order.
struct Origin {
  Shape extents;
  std::int64_t prefix = 0;
};

struct MapForms::Impl {
  Impl(const Graph& g, ValueId logits, TokenOptions o);

  const Graph& graph;
  TokenOptions options;
  std::vector<std::optional<std::size_t>> image_axes;
  std::vector<detail::Layout> layouts;
  std::vector<std::optional<Origin>> origins;  ///< as far as the graph shows them
  std::vector<detail::Live> live;
  Shape image;  ///< rows and columns of the image that the model reads; empty: unknown

  /// A sequence of tokens [n, tokens, c], or with its images elsewhere, by the graph or by what the
  /// user says.
  bool is_sequence(ValueId id) const;
  /// Of a sequence.
  detail::Layout sequence_layout(ValueId id) const;
  std::size_t token_axis(ValueId id) const { return sequence_layout(id).spatial_axes().front(); }
  std::int64_t tokens_of(ValueId id) const { return graph.value(id).shape[token_axis(id)]; }
  /// Its grid, or why none fits.
  MapForm token_form(ValueId id) const;
  MapForm form(ValueId id) const;
};

}  // namespace fovea::graph
