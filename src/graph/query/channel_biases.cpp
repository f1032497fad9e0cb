#include <algorithm>
#include <cmath>

#include "graph/query.hpp"
#include "graph/query/edges.hpp"

namespace fovea::graph {
namespace {

/// The floats of a constant input of `channels` elements; empty where there is none.
std::vector<float> vector_of(const Graph& graph, const Node& node, std::size_t i,
                             std::int64_t channels) {
  if (i >= node.inputs.size() || !node.inputs[i]) return {};
  const auto& constant = graph.value(node.inputs[i]).constant;
  if (!constant || constant->type != DType::f32) return {};
  const auto floats = constant->floats();
  if (static_cast<std::int64_t>(floats.size()) != channels) return {};
  return {floats.begin(), floats.end()};
}

std::vector<float> bias_of(const Graph& graph, const Node& node) {
  const auto channels = graph.value(node.outputs[0]).shape[1];
  if (std::holds_alternative<Conv>(node.op)) return vector_of(graph, node, 2, channels);
  const auto* norm = std::get_if<BatchNorm>(&node.op);
  if (norm == nullptr) return {};
  std::vector<float> p[4];
  for (std::size_t i = 0; i < 4; ++i) {
    p[i] = vector_of(graph, node, i + 1, channels);
    if (p[i].empty()) return {};
  }
  std::vector<float> out;
  for (std::size_t k = 0; k < p[0].size(); ++k)
    out.push_back(static_cast<float>(p[1][k] - static_cast<double>(p[0][k]) * p[2][k] /
                                                   std::sqrt(p[3][k] + norm->epsilon)));
  return out;
}

}  // namespace

std::vector<ChannelBias> find_channel_biases(const Graph& graph, ValueId from, ValueId to) {
  std::vector<ChannelBias> out;
  if (!from || !to) return out;
  const auto at = [](ValueId id) { return static_cast<std::size_t>(id.index); };
  const auto leading = detail::reaching(graph, to);
  std::vector<bool> behind(graph.values().size(), false);
  behind[at(from)] = true;
  for (const auto& node : graph.nodes()) {
    const bool depends = std::any_of(node.inputs.begin(), node.inputs.end(),
                                     [&](ValueId id) { return id && behind[at(id)]; });
    for (const auto id : node.outputs)
      if (depends && id && !graph.value(id).constant) behind[at(id)] = true;
    if (node.outputs.empty() || !node.outputs[0]) continue;
    const auto& value = graph.value(node.outputs[0]);
    if (value.constant || value.shape.size() < 3) continue;
    if (!behind[at(node.outputs[0])] || !leading[at(node.outputs[0])]) continue;
    auto bias = bias_of(graph, node);
    if (bias.empty() || std::all_of(bias.begin(), bias.end(), [](float b) { return b == 0; }))
      continue;
    out.push_back({node.outputs[0], std::move(bias)});
  }
  return out;
}

}  // namespace fovea::graph
