#include "shapes/scores.hpp"

#include <stdexcept>
#include <vector>

#include "graph/infer.hpp"
#include "onnx/importer.hpp"
#include "reference/reference.hpp"

namespace fovea::shapes_test {
namespace {

using reference::Array;

Array array_of(const Shape& shape, const auto& data) {
  Array out;
  out.shape = shape;
  out.data.assign(data.begin(), data.end());
  return out;
}

}  // namespace

std::optional<std::map<std::string, Tensor>> reference_outputs(
    const std::string& bytes, const std::map<std::string, Tensor>& feeds) {
  auto graph =
      onnx::import_bytes(std::as_bytes(std::span(bytes.data(), bytes.size())), {}, "").graph;
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : feeds) shapes[name] = tensor.shape;
  graph::bind_what_can_be(graph, shapes, 1);
  std::vector<Array> values(graph.values().size());
  const auto at = [&](graph::ValueId id) -> Array& {
    return values[static_cast<std::size_t>(id.index)];
  };
  for (std::size_t v = 0; v < values.size(); ++v) {
    const auto& value = graph.values()[v];
    if (const auto fed = feeds.find(value.name); fed != feeds.end() && !value.producer)
      values[v] = array_of(value.shape, fed->second.data);
    if (!value.constant) continue;
    if (value.constant->type == graph::DType::f32)
      values[v] = array_of(value.shape, value.constant->floats());
    else
      values[v] = array_of(value.shape, value.constant->ints);
  }
  try {
    for (const auto& node : graph.nodes()) {
      if (graph.value(node.outputs[0]).constant) continue;
      std::vector<Array> inputs;
      for (const auto id : node.inputs) inputs.push_back(id ? at(id) : Array());
      std::vector<Shape> extents;
      for (const auto id : node.outputs) extents.push_back(graph.value(id).shape);
      auto results = reference::evaluate(node.op, inputs, extents);
      for (std::size_t i = 0; i < results.size(); ++i) at(node.outputs[i]) = std::move(results[i]);
    }
  } catch (const std::logic_error&) {
    return std::nullopt;
  }
  std::map<std::string, Tensor> out;
  for (const auto id : graph.outputs) {
    const auto& value = graph.value(id);
    if (value.type == graph::DType::f32)
      out[value.name] = {value.shape, {at(id).data.begin(), at(id).data.end()}};
  }
  return out;
}

}  // namespace fovea::shapes_test
