#include "engine/path.hpp"

#include <algorithm>
#include <set>

#include "engine/ops/op.hpp"

namespace fovea::engine {
namespace {

std::size_t at(graph::ValueId id) {
  return static_cast<std::size_t>(id.index);
}

bool passes_gradient(const graph::Node& node, std::size_t input) {
  return has_gradient(node.op, input);
}

}  // namespace

NodeRange nodes_between(const graph::Graph& graph, graph::ValueId wrt, graph::ValueId of) {
  const auto behind = [&](graph::ValueId id) {
    return static_cast<std::size_t>(std::int64_t{graph.value(id).producer.index} + 1);
  };
  return {behind(wrt), std::max(behind(wrt), behind(of))};
}

std::vector<bool> values_between(const graph::Graph& graph, graph::ValueId wrt, graph::ValueId of) {
  const auto [first, last] = nodes_between(graph, wrt, of);
  std::vector<bool> below(graph.values().size(), false);  // depends on wrt
  below[at(wrt)] = true;
  for (std::size_t n = first; n < last; ++n) {
    const auto& node = graph.nodes()[n];
    bool depends = false;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] && below[at(node.inputs[i])] && passes_gradient(node, i)) depends = true;
    if (!depends) continue;
    for (const auto output : node.outputs) below[at(output)] = true;
  }
  std::vector<bool> above(graph.values().size(), false);  // `of` depends on it
  above[at(of)] = true;
  for (std::size_t n = last; n-- > first;) {
    const auto& node = graph.nodes()[n];
    bool leads = false;
    for (const auto output : node.outputs)
      if (above[at(output)] && output != wrt) leads = true;
    if (!leads) continue;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] && passes_gradient(node, i)) above[at(node.inputs[i])] = true;
  }
  for (std::size_t i = 0; i < below.size(); ++i) below[i] = below[i] && above[i];
  return below;
}

std::vector<bool> values_behind(const graph::Graph& graph, graph::ValueId wrt) {
  std::vector<bool> behind(graph.values().size(), false);
  behind[at(wrt)] = true;
  for (const auto& node : graph.nodes())
    for (const auto input : node.inputs)
      if (input && behind[at(input)])
        for (const auto output : node.outputs)
          if (!graph.value(output).constant) behind[at(output)] = true;
  return behind;
}

void require_every_path(const graph::Graph& graph, graph::ValueId wrt, graph::ValueId of) {
  const auto [first, last] = nodes_between(graph, wrt, of);
  const auto is_float = [&](graph::ValueId id) {
    return id && !graph.value(id).constant && graph.value(id).type == graph::DType::f32;
  };
  const auto any = [&](const auto& ids, const std::vector<bool>& marked) {
    return std::any_of(ids.begin(), ids.end(),
                       [&](graph::ValueId id) { return is_float(id) && marked[at(id)]; });
  };
  std::vector<bool> below(graph.values().size(), false), above = below;
  below[at(wrt)] = true;
  for (std::size_t n = first; n < last; ++n) {
    const auto& node = graph.nodes()[n];
    if (!any(node.inputs, below)) continue;
    for (const auto output : node.outputs) below[at(output)] = true;
  }
  above[at(of)] = true;
  for (std::size_t n = last; n-- > first;) {
    const auto& node = graph.nodes()[n];
    if (!any(node.outputs, above)) continue;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto input = node.inputs[i];
      if (!is_float(input) || is_stopped(node.op, i)) continue;
      above[at(input)] = true;
      if (below[at(input)] && !passes_gradient(node, i))
        throw Error(ErrorCode::unsupported,
                    "no gradient leads to input " + std::to_string(i) +
                        " of this operator, which depends on the image: a path would be left out",
                    graph::where(node));
    }
  }
}

bool on_path(const graph::Node& node, const std::vector<bool>& path) {
  bool out = false, in = false;
  for (const auto output : node.outputs) out = out || path[at(output)];
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    in = in || (node.inputs[i] && path[at(node.inputs[i])] && passes_gradient(node, i));
  return out && in;
}

unsigned wanted_inputs(const graph::Node& node, const std::vector<bool>& path) {
  unsigned wanted = 0;
  for (std::size_t i = 0; i < node.inputs.size() && i < 32; ++i)
    if (node.inputs[i] && path[at(node.inputs[i])]) wanted |= 1u << i;
  return wanted;
}

Places places_on_path(const graph::Graph& graph, const std::vector<bool>& path,
                      graph::ValueId value, std::size_t axis) {
  const auto on = [&](graph::ValueId id) { return id && path[static_cast<std::size_t>(id.index)]; };
  const Places all{0, graph.value(value).shape[axis]};
  for (auto id = value;;) {
    const auto maker = graph.value(id).producer;
    if (!maker) return all;
    const auto& node = graph.node(maker);
    if (const auto* moved = std::get_if<graph::Transpose>(&node.op)) {
      axis = static_cast<std::size_t>(moved->perm[axis]);
      id = node.inputs[0];
      continue;
    }
    const auto* joined = std::get_if<graph::Concat>(&node.op);
    if (joined == nullptr || static_cast<std::size_t>(joined->axis) != axis) return all;
    Places out{all.last, 0};
    std::int64_t place = 0;
    for (const auto part : node.inputs) {
      const auto next = place + graph.value(part).shape[axis];
      if (on(part)) out = {std::min(out.first, place), next};
      place = next;
    }
    return out.first < out.last ? out : all;
  }
}

std::string explain_missing_path(const graph::Graph& graph, graph::ValueId wrt, graph::ValueId of) {
  const auto below = values_behind(graph, wrt);
  const std::string base = "no gradient leads from '" + graph.value(of).name + "' back to '" +
                           graph.value(wrt).name + "'";
  if (!below[at(of)]) return base + ": the score does not depend on it";
  // Where the walk back from the score ends before it is there.
  std::set<std::string> stops;
  std::vector<bool> reached(graph.values().size(), false);
  reached[at(of)] = true;
  for (std::size_t n = graph.nodes().size(); n-- > 0;) {
    const auto& node = graph.nodes()[n];
    const bool leads = std::any_of(node.outputs.begin(), node.outputs.end(),
                                   [&](graph::ValueId id) { return reached[at(id)]; });
    for (std::size_t i = 0; leads && i < node.inputs.size(); ++i) {
      const auto input = node.inputs[i];
      if (!input || !below[at(input)]) continue;
      if (passes_gradient(node, i))
        reached[at(input)] = true;
      else
        stops.insert(node.op_type + " '" + node.name + "'");
    }
  }
  std::string list;
  for (const auto& stop : stops) list += (list.empty() ? "" : ", ") + stop;
  return base + ": the path is cut at " + list;
}

}  // namespace fovea::engine
