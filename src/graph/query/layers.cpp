#include <algorithm>

#include "graph/query.hpp"
#include "graph/query/edges.hpp"
#include "graph/query/tokens.hpp"

namespace fovea::graph {
namespace {

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id.index);
}

}  // namespace

bool reaches(const Graph& graph, ValueId from, ValueId to) {
  if (!from || !to) return false;
  // Nodes are in order: only those between the two count.
  std::vector<bool> leads(graph.values().size(), false);
  leads[at(to)] = true;
  for (auto n = graph.value(to).producer.index; n > graph.value(from).producer.index; --n) {
    const auto& node = graph.nodes()[static_cast<std::size_t>(n)];
    const bool any = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return leads[at(id)] && !graph.value(id).constant;
    });
    if (!any) continue;
    for (const auto id : node.inputs)
      if (id) leads[at(id)] = true;
  }
  return leads[at(from)];
}

std::vector<ValueId> explainable_layers(const Graph& graph, ValueId logits,
                                        const TokenOptions& options) {
  const auto reaching = detail::reaching(graph, logits);
  const auto computed = detail::depends_on_inputs(graph);
  const MapForms::Impl forms(graph, logits, options);
  const auto is_wide = [](auto begin, auto end) {
    return std::any_of(begin, end, [](std::int64_t extent) { return extent > 1; });
  };
  std::vector<ValueId> out;
  for (const auto& node : graph.nodes())
    for (const auto id : node.outputs) {
      const auto& value = graph.value(id);
      if (id == logits || !reaching[at(id)] || !computed[at(id)]) continue;
      const auto& layout = forms.layouts[at(id)];
      const auto rank = value.shape.size();
      if (value.type != DType::f32 || rank < 3 || rank > 5) continue;
      const auto form = forms.form(id);
      if (!form.refusal.empty() || !form.unseen.empty()) continue;
      if (form.grid) {
        if (is_wide(form.grid->extents.begin(), form.grid->extents.end())) out.push_back(id);
        continue;
      }
      // What is known to keep its positions elsewhere is no map.
      const bool other_form = layout.order != detail::Layout::Order::unknown &&
                              (layout.spatial + 2 != rank || layout.images != 0);
      if (!other_form && is_wide(value.shape.begin() + 2, value.shape.end())) out.push_back(id);
    }
  return out;
}

ValueId find_layer(const Graph& graph, std::string_view name) {
  const auto by_name = graph.find_value(name);
  if (by_name && graph.value(by_name).producer && !graph.value(by_name).constant) return by_name;
  for (const auto& node : graph.nodes())
    if (node.name == name && !graph.value(node.outputs[0]).constant) return node.outputs[0];
  ValueId last;
  for (const auto& node : graph.nodes())
    if ((node.op_type == name || name_of(node.op) == name) &&
        !graph.value(node.outputs[0]).constant)
      last = node.outputs[0];
  return last;
}

}  // namespace fovea::graph
