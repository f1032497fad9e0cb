#include <algorithm>

#include "fovea/asking.hpp"
#include "fovea/session.hpp"

namespace fovea {
namespace {

// Names that a layer may be called by: values, nodes, and operators (the last node of that kind).
bool layer_exists(const Model& model, const std::string& name) {
  return std::any_of(model.nodes().begin(), model.nodes().end(), [&](const NodeInfo& node) {
    return node.name == name || node.op == name ||
           std::find(node.outputs.begin(), node.outputs.end(), name) != node.outputs.end();
  });
}

[[noreturn]] void unknown_layer(const Model& model, const ExplainerOptions& options,
                                const std::string& name, const CallOptions& call) {
  std::vector<std::string> names;
  try {
    const Explainer bare(model, bare_options(options), call);
    for (const auto& layer : bare.layers()) {
      names.push_back(layer.name);
      names.push_back(layer.node);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled || error.code() == ErrorCode::deadline_exceeded) throw;
    names.clear();  // the suggestion is a courtesy: the unknown name is what matters
  }
  throw Error(ErrorCode::invalid_argument, "the model has no layer '" + name + "'" +
                                               did_you_mean(names, name) +
                                               " ('fovea inspect' lists the layers)");
}

}  // namespace

void require_layers(const Model& model, const ExplainerOptions& options,
                    const std::vector<std::string>& layers, const CallOptions& call) {
  for (const auto& layer : layers)
    if (!layer_exists(model, layer)) unknown_layer(model, options, layer, call);
}

}  // namespace fovea
