#include "graph/selections.hpp"

#include <algorithm>
#include <utility>

#include "base/checked.hpp"
#include "graph/infer.hpp"

namespace fovea::graph {
namespace {

/// Whatever made it makes it no more. The only output of a node takes the node with it; of several
/// outputs the node makes another in its place.
void take_from_its_node(Graph& graph, ValueId id) {
  const auto producer = graph.value(id).producer;
  if (!producer) return;
  auto& outputs = graph.node(producer).outputs;
  if (outputs.size() == 1) {
    std::vector<bool> dead(graph.nodes().size(), false);
    dead[static_cast<std::size_t>(producer.index)] = true;
    graph.erase_nodes(dead);
    return;
  }
  const auto unread =
      graph.add_constant(graph.unique_name(graph.value(id).name + "/unread"), Constant{});
  graph.value(unread).constant.reset();
  graph.value(unread).producer = producer;
  graph.value(id).producer = {};
  std::replace(outputs.begin(), outputs.end(), id, unread);
}

}  // namespace

Constant empty_constant(DType type, const Shape& shape) {
  return type == DType::f32 ? Constant::of_floats(shape, {}) : Constant::of_ints(shape, {}, type);
}

Constant select(const Graph& graph, const Selection& selection,
                const std::vector<const Constant*>& inputs) {
  const auto& node = selection.node;
  Graph own;
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    ids.push_back(inputs[i] == nullptr ? ValueId{}
                                       : own.add_constant("in" + std::to_string(i), *inputs[i]));
  const auto& name = graph.value(selection.wanted).name;
  const auto id = own.add_node(node.name, node.op_type, node.op, ids, {name});
  own.outputs = own.node(id).outputs;
  bind(own, {}, 1);
  const auto& result = own.value(own.outputs[0]).constant;
  if (!result) throw Error(ErrorCode::unsupported, "it selects more than fovea keeps", where(node));
  return *result;
}

void set_known(Graph& graph, ValueId id, Constant constant) {
  take_from_its_node(graph, id);
  auto& value = graph.value(id);
  value.type = constant.type;
  value.shape = constant.shape;
  value.constant = std::move(constant);
}

void feed(Graph& graph, ValueId id, DType type, const Shape& shape) {
  if (base::element_count(shape) == 0) return set_known(graph, id, empty_constant(type, shape));
  take_from_its_node(graph, id);
  auto& value = graph.value(id);
  value.type = type;
  value.shape = shape;
  value.constant.reset();
  graph.inputs.push_back(id);
}

}  // namespace fovea::graph
