#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "graph/graph.hpp"
#include "graph/query.hpp"
#include "onnx/importer.hpp"

/// A model of which only a part can be computed, or is wanted.
namespace fovea::api {

/// The shapes of `given`, and those that follow from them: extents of one name are one number. A
/// name that is given two numbers, or says nothing ("?"), is none.
std::map<std::string, Shape> with_named_extents(const std::vector<ValueInfo>& inputs,
                                                std::map<std::string, Shape> given);

/// The outputs of a model that cannot be computed: unread at import, or not to be bound.
class Partial {
 public:
  explicit Partial(const onnx::Imported& imported)
      : imported_(imported), missing_(imported.missing_outputs) {}

  /// Binds `bound`, a copy of `source`, and takes from both the outputs that cannot be bound.
  /// Inputs of any shape get their number of extents in `source`, too. Throws Error where no output
  /// is left.
  void bind(graph::Graph& source, graph::Graph& bound, const std::map<std::string, Shape>& shapes,
            std::int64_t batch, const base::Limits& limits);

  /// Throws Error why the value, an output or any other, cannot be computed; returns where it can,
  /// or does not exist.
  void require(const graph::Graph& bound, const std::string& name) const;

  /// The scores (graph::find_scores). Throws Error also where the named output cannot be computed,
  /// and where nobody named one and another might have been chosen, could it be computed.
  graph::Scores find_scores(const graph::Graph& bound, const std::string& output) const;

 private:
  /// `chosen`: none where no output that can be computed is scores.
  void require_choice(const graph::Graph& bound, graph::ValueId chosen) const;

  const onnx::Imported& imported_;
  std::vector<onnx::MissingOutput> missing_;
};

/// Where an image's rows and columns are in an input's extents; empty where it is no image.
Shape spatial_extents(const Shape& input);

/// Is the value neither given nor made by anything?
bool is_lost(const graph::Graph& bound, graph::ValueId id);

/// The inputs that a bound graph has, of a model's, with their extents.
std::vector<ValueInfo> inputs_of(const graph::Graph& bound, const std::vector<ValueInfo>& all);
/// Of every value that is not lost.
std::map<std::string, Shape> shapes_of(const graph::Graph& bound);

/// Takes out of both graphs the inputs that none of `wanted` depends on, and what depends on them;
/// nothing where `wanted` depends on no input.
void drop_unneeded_inputs(graph::Graph& source, graph::Graph& bound,
                          std::span<const graph::ValueId> wanted);

}  // namespace fovea::api
