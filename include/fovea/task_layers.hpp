#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fovea/explainer.hpp"
#include "fovea/export.hpp"
#include "fovea/model.hpp"
#include "fovea/origins.hpp"
#include "fovea/target.hpp"
#include "fovea/task.hpp"

/// Which layers a task's targets can be explained at, before there is a photo.
namespace fovea {

/// What one would ask about.
struct TypicalTarget {
  std::string what;               ///< "a box of level 1, 26 x 26 cells of 16 pixels"
  std::optional<Target> at = {};  ///< of a place; none: the default layer is that of any target
  /// Of a box: its row as the output has it, all of whose numbers count for the default layer.
  std::optional<Target> row = {};
};
/// One for each kind of place of a task that was filled in: boxes of each level, or where nothing
/// says which rows are a level's, of rows from both ends to the middle; the middle of a
/// segmentation, of a text; or what is no place. `shapes` has every extent bound. Throws Error
/// invalid_argument for a task that was not filled in.
FOVEA_API std::vector<TypicalTarget> typical_targets(const Task& task,
                                                     const std::map<std::string, Shape>& shapes,
                                                     const FindLogits& logits = {});

/// A target's layers, each with what speaks for or against it.
struct TargetLayers {
  std::string what;
  std::string default_layer;  ///< empty where there is none
  std::vector<LayerInfo> layers;
};
/// Of every typical target of the model's task, those with the same default layer once. Cost: an
/// explainer without methods for each, and two of a box. Throws Error as an Explainer of these
/// options would.
FOVEA_API std::vector<TargetLayers> layers_of(const Model& model, const ExplainerOptions& options,
                                              const Task& task, const OriginFinder& finder);

}  // namespace fovea
