#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/access.hpp"
#include "engine/plan.hpp"
#include "fovea/model.hpp"
#include "onnx/importer.hpp"

namespace fovea {

namespace api {

/// Where a value took an input's place: what the input was declared as.
struct Joint {
  std::string value;
  Shape shape;
  std::string input;
};

/// What a model was joined of; `fed` has for inputs of the second the first's outputs.
struct Parts {
  std::shared_ptr<const Model::Impl> first, second;
  std::map<std::string, std::string> fed;
};

std::string misfit(const std::string& output, const Shape& has, const Shape& wants);
/// Throws Error invalid_argument where a value has other extents than the input that it stands for.
void check_joints(const std::vector<Joint>& joints, const graph::Graph& bound);

}  // namespace api

struct Model::Impl {
  onnx::Imported imported;
  std::vector<api::Joint> joints = {};           ///< of a model made of models
  std::shared_ptr<const api::Parts> parts = {};  ///< of one that `joined` made
  /// Filled by the explainers as they pack weights; locks itself.
  std::shared_ptr<engine::WeightCache> weights = std::make_shared<engine::WeightCache>();
  /// What tuning found for the model's explainers; locks itself.
  std::shared_ptr<engine::Choices> choices = std::make_shared<engine::Choices>();
};

}  // namespace fovea
