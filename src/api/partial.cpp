#include "api/partial.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "engine/plan.hpp"
#include "graph/choice.hpp"
#include "graph/infer.hpp"
#include "onnx/element_type.hpp"

namespace fovea::api {
namespace {

std::size_t at(graph::ValueId id) {
  return static_cast<std::size_t>(id.index);
}

/// In what order a rank is looked at for scores: 2, more, 1, 0.
int place_of(std::size_t rank) {
  return rank == 2 ? 0 : rank > 2 ? 1 : rank == 1 ? 2 : 3;
}

void drop_outputs(graph::Graph& graph, const std::set<graph::ValueId>& gone) {
  std::erase_if(graph.outputs, [&](graph::ValueId id) { return gone.contains(id); });
}

/// What depends on the inputs leaves the graph with them.
void drop_inputs(graph::Graph& graph, const std::set<graph::ValueId>& gone) {
  std::vector<bool> lost(graph.values().size(), false);
  for (const auto id : gone) lost[at(id)] = true;
  const auto is_lost = [&](graph::ValueId id) { return id && lost[at(id)]; };
  std::vector<bool> dead(graph.nodes().size(), false);
  for (std::size_t n = 0; n < dead.size(); ++n) {
    auto& node = graph.node({static_cast<std::int32_t>(n)});
    dead[n] = std::any_of(node.inputs.begin(), node.inputs.end(), is_lost) &&
              !graph::keeps_a_branch(node, is_lost);
    // What is a constant, like an extent, is there without the node.
    for (const auto id : node.outputs)
      if (dead[n] && !graph.value(id).constant) lost[at(id)] = true;
  }
  std::erase_if(graph.inputs, is_lost);
  std::erase_if(graph.outputs, is_lost);
  graph.erase_nodes(dead);
}

}  // namespace

std::map<std::string, Shape> with_named_extents(const std::vector<ValueInfo>& inputs,
                                                std::map<std::string, Shape> given) {
  constexpr std::int64_t kAmbiguous = -1;
  std::map<std::string, std::int64_t> known;
  for (const auto* name : {"", "?", "None", "unk", "unknown", "dynamic"}) known[name] = kAmbiguous;
  for (const auto& input : inputs) {
    const auto shape = given.find(input.name);
    if (shape == given.end() || shape->second.size() != input.dimensions.size()) continue;
    for (std::size_t d = 0; d < input.dimensions.size(); ++d) {
      if (shape->second[d] < 1) continue;
      const auto [it, is_new] = known.emplace(input.dimensions[d], shape->second[d]);
      if (!is_new && it->second != shape->second[d]) it->second = kAmbiguous;
    }
  }
  for (const auto& input : inputs) {
    if (!input.is_ranked) continue;
    auto shape = given.contains(input.name) ? given.at(input.name) : input.shape;
    if (shape.size() != input.dimensions.size()) continue;
    bool changed = false;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const auto found = known.find(input.dimensions[d]);
      if (shape[d] != -1 || found == known.end() || found->second == kAmbiguous) continue;
      shape[d] = found->second;
      changed = true;
    }
    if (changed) given[input.name] = std::move(shape);
  }
  return given;
}

void Partial::bind(graph::Graph& source, graph::Graph& bound,
                   const std::map<std::string, Shape>& shapes, std::int64_t batch,
                   const base::Limits& limits) {
  auto unbound = graph::bind_what_can_be(bound, shapes, batch, limits, engine::compute_node);
  if (bound.outputs.empty()) throw unbound.front().error;
  std::set<graph::ValueId> gone;
  const auto& outputs = imported_.info.outputs;
  for (const auto& [output, error] : unbound) {
    gone.insert(output);
    const auto& name = bound.value(output).name;
    const auto named = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const ValueInfo& info) { return info.name == name; });
    if (named == outputs.end()) throw error;
    const bool of_reals = onnx::graph_type(named->type) == graph::DType::f32;
    missing_.push_back({static_cast<std::size_t>(named - outputs.begin()), of_reals, error});
  }
  drop_outputs(source, gone);
  const std::set<graph::ValueId> left(bound.inputs.begin(), bound.inputs.end());
  std::set<graph::ValueId> open;
  for (const auto id : source.inputs)
    if (!left.contains(id)) open.insert(id);
  if (!open.empty()) drop_inputs(source, open);
  for (const auto id : bound.inputs)
    if (source.value(id).shape == graph::kAnyShape)
      source.value(id).shape.assign(bound.value(id).shape.size(), -1);
}

void Partial::require(const graph::Graph& bound, const std::string& name) const {
  for (const auto& missing : missing_)
    if (imported_.info.outputs[missing.index].name == name) throw missing.error;
  const auto id = bound.find_value(name);
  if (!id) {
    if (const auto why = imported_.unread.reason(imported_.info.nodes, {&name, 1})) throw *why;
    return;
  }
  if (!is_lost(bound, id)) return;
  if (const auto why = imported_.unread.reason(imported_.info.nodes, {&name, 1})) throw *why;
  throw Error(ErrorCode::invalid_argument,
              "this value cannot be computed for inputs of these extents, or belongs to a branch "
              "that is not taken",
              {"", name, ""});
}

graph::Scores Partial::find_scores(const graph::Graph& bound, const std::string& output) const {
  if (!output.empty()) {
    require(bound, output);
    return graph::find_scores(bound, output);
  }
  graph::Scores scores;
  try {
    scores = graph::find_scores(bound, output);
  } catch (const Error&) {
    require_choice(bound, {});
    throw;
  }
  require_choice(bound, scores.output);
  return scores;
}

void Partial::require_choice(const graph::Graph& bound, graph::ValueId chosen) const {
  const auto& outputs = imported_.info.outputs;
  // Behind every other, where none was chosen.
  std::pair<int, std::ptrdiff_t> own{4, 0};
  if (chosen) {
    const auto& value = bound.value(chosen);
    const auto place = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const ValueInfo& info) { return info.name == value.name; });
    own = {place_of(value.shape.size()), place - outputs.begin()};
  }
  for (const auto& missing : missing_) {
    if (!missing.may_be_scores) continue;
    const auto& info = outputs[missing.index];
    const auto wanted = std::pair(info.is_ranked ? place_of(info.shape.size()) : 0,
                                  static_cast<std::ptrdiff_t>(missing.index));
    if (wanted < own)
      throw Error(missing.error.code(),
                  missing.error.sentence() + "; the output '" + info.name +
                      "' depends on it: name another where that is meant",
                  missing.error.context());
  }
}

Shape spatial_extents(const Shape& input) {
  if (input.size() < 3 || input.size() > 5) return {};
  const auto like_channels = [](std::int64_t extent) { return extent >= 1 && extent <= 4; };
  if (!like_channels(input[1]) && like_channels(input.back()))
    return {input.begin() + 1, input.end() - 1};
  return {input.begin() + 2, input.end()};
}

bool is_lost(const graph::Graph& bound, graph::ValueId id) {
  const auto& value = bound.value(id);
  return !value.producer && !value.constant &&
         std::find(bound.inputs.begin(), bound.inputs.end(), id) == bound.inputs.end();
}

std::vector<ValueInfo> inputs_of(const graph::Graph& bound, const std::vector<ValueInfo>& all) {
  std::vector<ValueInfo> out;
  for (const auto& info : all) {
    const auto id = bound.find_value(info.name);
    if (std::find(bound.inputs.begin(), bound.inputs.end(), id) == bound.inputs.end()) continue;
    out.push_back(info);
    out.back().shape = bound.value(id).shape;
    out.back().is_ranked = true;
  }
  return out;
}

std::map<std::string, Shape> shapes_of(const graph::Graph& bound) {
  std::vector<bool> given(bound.values().size(), false);
  for (const auto id : bound.inputs) given[at(id)] = true;
  std::map<std::string, Shape> out;
  for (std::size_t v = 0; v < given.size(); ++v)
    if (const auto& value = bound.values()[v]; given[v] || value.producer || value.constant)
      out[value.name] = value.shape;
  return out;
}

void drop_unneeded_inputs(graph::Graph& source, graph::Graph& bound,
                          std::span<const graph::ValueId> wanted) {
  if (bound.inputs.size() < 2) return;
  // As imported: an input may be needed for its extents, which are constants once bound.
  std::vector<bool> needed(source.values().size(), false);
  std::vector<graph::ValueId> open(wanted.begin(), wanted.end());
  while (!open.empty()) {
    const auto id = open.back();
    open.pop_back();
    if (!id || at(id) >= needed.size() || needed[at(id)]) continue;
    needed[at(id)] = true;
    const auto& value = source.value(id);
    if (!value.producer) continue;
    const auto& from = source.node(value.producer).inputs;
    open.insert(open.end(), from.begin(), from.end());
  }
  std::set<graph::ValueId> gone;
  for (const auto id : bound.inputs)
    if (!needed[at(id)]) gone.insert(id);
  if (gone.empty() || gone.size() == bound.inputs.size()) return;
  drop_inputs(bound, gone);
  drop_inputs(source, gone);
  // Every output may have needed an input that what is wanted, a value in front of them, does not.
  for (auto* graph : {&bound, &source})
    if (graph->outputs.empty()) graph->outputs.push_back(wanted.front());
}

}  // namespace fovea::api
