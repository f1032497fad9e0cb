#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "explain/objective.hpp"
#include "fovea/explainer.hpp"
#include "graph/graph.hpp"
#include "graph/query.hpp"

namespace fovea::api {

/// What an explainer's targets read.
struct TargetValues {
  graph::ValueId row = {};  ///< [images, numbers], all of it
  /// By name, in the order of a row; "" is the scores.
  std::vector<std::pair<std::string, graph::ValueId>> values = {};
};

/// PrepareOptions::target_values with what PrepareOptions::targets read.
std::vector<std::string> value_names(const PrepareOptions& options);

/// One place of a value with positions, which a target is about.
struct Place {
  std::string value;
  Shape at;  ///< with the images' extent, where the value has one
};
/// None where the target takes much of its values, or their positions are not known.
std::optional<Place> place_of(const Target& target, const std::vector<TargetValue>& values);

/// Are the scores among these, PrepareOptions::target_values?
bool reads_scores(const std::vector<std::string>& names);

/// The scores, or the values of these names. Appends to `source`, of which `bound` is a copy with
/// every extent known, what lays several of them one behind the other. Throws Error
/// invalid_argument for a value that is not there or holds no numbers that depend on the image.
TargetValues choose_target_values(graph::Graph& source, const graph::Graph& bound,
                                  const std::vector<std::string>& names,
                                  const graph::Scores& scores);

/// What the rows are made of, for the caller.
std::vector<TargetValue> described(const explain::Reads& reads, const TargetValues& read,
                                   const graph::ImageBatch& images);

/// What lies where in an image's row. Throws Error invalid_argument where the values do not keep
/// the images apart.
explain::Reads reads_of(const TargetValues& read, const graph::Graph& bound,
                        const graph::ImageBatch& images);

}  // namespace fovea::api
