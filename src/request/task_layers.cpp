#include "fovea/task_layers.hpp"

#include <algorithm>
#include <map>
#include <set>
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

/// Makes a layer the default.
void choose(TargetLayers& of, const std::string& name, const std::string& why) {
  if (name == of.default_layer) return;
  for (auto& info : of.layers) {
    if (std::exchange(info.is_default, info.name == name)) info.why.clear();
    if (info.is_default) info.why = why;
  }
  of.default_layer = name;
}

bool is_picture(const Task& task, const ValueInfo& input) {
  const auto it = task.inputs.find(input.name);
  if (it == task.inputs.end()) return true;
  const auto role = it->second.role;
  return role == InputRole::image || role == InputRole::frames || role == InputRole::features;
}

/// Values that no path from the picture to the values passes by.
std::set<std::string> passages(const Task& task, const Model& model,
                               const std::vector<std::string>& values) {
  const auto& nodes = model.nodes();
  std::set<std::string> reached, wanted(values.begin(), values.end());
  for (const auto& input : model.inputs())
    if (is_picture(task, input)) reached.insert(input.name);
  for (const auto& node : nodes)
    if (std::any_of(node.inputs.begin(), node.inputs.end(),
                    [&](const auto& name) { return !name.empty() && reached.contains(name); }))
      reached.insert(node.outputs.begin(), node.outputs.end());
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)
    if (std::any_of(node->outputs.begin(), node->outputs.end(),
                    [&](const auto& name) { return wanted.contains(name); }))
      wanted.insert(node->inputs.begin(), node->inputs.end());
  const auto is_on_path = [&](const std::string& name) {
    return !name.empty() && reached.contains(name) && wanted.contains(name);
  };
  // The node behind which nobody reads it on the way.
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (std::any_of(nodes[i].outputs.begin(), nodes[i].outputs.end(), is_on_path))
      for (const auto& name : nodes[i].inputs)
        if (is_on_path(name)) last[name] = i;
  for (const auto& name : values) last[name] = nodes.size();
  std::size_t open = 0;
  for (const auto& input : model.inputs())
    if (is_on_path(input.name)) open = std::max(open, last[input.name]);
  std::set<std::string> out;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    std::vector<const std::string*> made;
    for (const auto& name : nodes[i].outputs)
      if (is_on_path(name)) made.push_back(&name);
    if (made.size() == 1 && open <= i) out.insert(*made.front());
    for (const auto* name : made) open = std::max(open, last[*name]);
  }
  return out;
}

}  // namespace

std::string layer_of_words(const Task& task, const Explainer& explainer) {
  const auto& own = explainer.default_layer();
  std::vector<std::string> values;
  for (const auto& value : explainer.target_values()) values.push_back(value.name);
  const auto all = passages(task, explainer.model(), values);
  if (own.empty() || all.contains(own)) return own;
  // A map of channels, else a sequence of tokens.
  const LayerInfo* out = nullptr;
  for (const auto& layer : explainer.layers()) {
    if (layer.name == own) break;
    std::int64_t positions = 1;
    for (const auto extent : layer.grid) positions *= extent;
    if (positions == 1 || !all.contains(layer.name)) continue;
    if (out == nullptr || out->shape.size() < 4 || layer.shape.size() >= 4) out = &layer;
  }
  return out == nullptr ? own : out->name;
}

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
      const Explainer explainer(model, all);
      one = request::layers_of(explainer);
      if (task.kind == TaskKind::caption)
        request::choose(one, request::layer_of_words(task, explainer),
                        "the last map that the picture reaches every word through");
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
