#pragma once

#include <memory>

#include "api/access.hpp"
#include "engine/plan.hpp"
#include "fovea/model.hpp"
#include "onnx/importer.hpp"

namespace fovea {

struct Model::Impl {
  onnx::Imported imported;
  /// Filled by the explainers as they pack weights; locks itself.
  std::shared_ptr<engine::WeightCache> weights = std::make_shared<engine::WeightCache>();
  /// What tuning found for the model's explainers; locks itself.
  std::shared_ptr<engine::Choices> choices = std::make_shared<engine::Choices>();
};

}  // namespace fovea
