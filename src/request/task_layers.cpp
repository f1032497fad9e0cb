#include "fovea/task_layers.hpp"

#include <algorithm>
#include <utility>

#include "fovea/asking.hpp"
#include "fovea/decode.hpp"
#include "fovea/task_target.hpp"
#include "request/own_layers.hpp"

namespace fovea {
namespace request {
namespace {

TargetLayers layers_of(const Explainer& explainer) {
  return {{}, explainer.default_layer(), explainer.layers()};
}

}  // namespace

TargetLayers own_layers(const Model& model, ExplainerOptions options, const Target& target,
                        const std::optional<Target>& row, const CallOptions& call) {
  options.prepare.target_values.clear();
  options.prepare.targets = {target};
  auto out = layers_of(Explainer(model, options, call));
  if (!row) return out;
  options.prepare.targets = {*row};
  const auto of_row = layers_of(Explainer(model, options, call));
  const auto named = [](const std::string& name) {
    return [&name](const LayerInfo& info) { return info.name == name; };
  };
  const auto own = std::find_if(out.layers.begin(), out.layers.end(), named(of_row.default_layer));
  if (own == out.layers.end()) return out;
  const auto there =
      std::find_if(of_row.layers.begin(), of_row.layers.end(), named(of_row.default_layer));
  for (auto& info : out.layers)
    if (std::exchange(info.is_default, false)) info.why.clear();
  out.default_layer = of_row.default_layer;
  own->is_default = true;
  if (there != of_row.layers.end()) own->why = there->why;
  return out;
}

}  // namespace request

std::vector<TargetLayers> layers_of(const Model& model, const ExplainerOptions& options,
                                    const Task& task, const OriginFinder& finder) {
  auto bare = bare_options(options);
  bare.prepare.targets.clear();
  const auto logits = task.boxes.selected ? FindLogits{} : finder.find_logits();
  std::vector<TargetLayers> out;
  for (const auto& typical : typical_targets(task, finder.shapes(), logits)) {
    TargetLayers one;
    if (typical.at) {
      one = request::own_layers(model, bare, *typical.at, typical.row);
    } else {
      auto all = bare;
      if (task.kind != TaskKind::classes)
        all.prepare.target_values = target_values_of(task, finder.shapes(), logits);
      one = request::layers_of(Explainer(model, all));
    }
    one.what = typical.what;
    const bool is_new = std::none_of(out.begin(), out.end(), [&](const TargetLayers& before) {
      return before.default_layer == one.default_layer;
    });
    if (is_new) out.push_back(std::move(one));
  }
  return out;
}

}  // namespace fovea
