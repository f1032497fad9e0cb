#include "api/other_batch.hpp"

#include <map>
#include <string>

#include "engine/plan.hpp"
#include "graph/infer.hpp"

namespace fovea::api {

std::optional<graph::Graph> with_batch(const graph::Graph& source, const graph::Graph& bound,
                                       std::span<const graph::ValueId> values, std::int64_t batch) {
  graph::Graph graph = source;
  std::map<std::string, Shape> shapes;
  const Shape& first = bound.value(values[0]).shape;
  if (first.empty()) return std::nullopt;
  const auto own = first[0];
  for (const auto id : graph.inputs) {
    auto& value = graph.value(id);
    Shape shape = bound.value(id).shape;
    if (shape.empty() || shape[0] != own) return std::nullopt;
    shape[0] = batch;
    value.shape[0] = -1;
    shapes[value.name] = shape;
  }
  try {
    graph::bind(graph, shapes, batch);
  } catch (const Error&) {
    return std::nullopt;
  }
  for (const auto id : values) {
    Shape wanted = bound.value(id).shape;
    if (wanted.empty() || wanted[0] != own) return std::nullopt;
    wanted[0] = batch;
    if (graph.value(id).shape != wanted) return std::nullopt;
  }
  engine::fold_constants(graph);
  return graph;
}

}  // namespace fovea::api
