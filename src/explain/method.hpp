#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/plan.hpp"
#include "fovea/explainer.hpp"
#include "fovea/method.hpp"
#include "fovea/tensor.hpp"
#include "graph/query.hpp"

/// The methods: each a small file, joined by the registry.
namespace fovea::explain {

/// One layer of an explainer, as methods see it.
struct Layer {
  std::string name;
  graph::ValueId value;
  std::size_t map = 0;                                      ///< index in the plan's maps
  std::map<engine::GradientReduce, std::size_t> gradients;  ///< indices in the plan's gradients
  bool is_head_map = false;  ///< what the pool of a pool + linear head reads
};

/// A forward pass that has been made, and what can be asked of it.
struct Context {
  const engine::Plan& plan;
  engine::Workspace& workspace;
  const std::optional<graph::PoolLinearHead>& head;
  const Layer& layer;
  std::int64_t batch;
  std::int64_t classes;
  const CallOptions& call;
  double backward_ms = 0;  ///< what a method spent walking back
};

/// A row of the registry.
struct Entry {
  MethodInfo info;
  /// Throws Error invalid_argument with the reason where a head cannot serve the method.
  void (*check)(const std::optional<graph::PoolLinearHead>& head, const Layer& layer);
  /// What of the logits' gradient with respect to the layer the plan must have.
  std::optional<engine::GradientReduce> (*needs_gradient)(const Layer& layer);
  /// classes[n]: whose evidence to look for in image n. One map [spatial extents] per image.
  std::vector<Tensor> (*run)(Context& context, std::span<const std::int64_t> classes);
  /// The maps of every class of one image at once, [classes, spatial extents]; null where a method
  /// has nothing better than `run` for each. Called for layers that need no gradient only.
  Tensor (*class_maps)(Context& context, std::int64_t image) = nullptr;
};

std::span<const Entry> registry();
/// Throws Error invalid_argument that lists the known names.
const Entry& find(std::string_view name);

const Entry& cam();
const Entry& gradcam();

}  // namespace fovea::explain
