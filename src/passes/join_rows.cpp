#include <string>
#include <vector>

#include "graph/query.hpp"
#include "passes/passes.hpp"

namespace fovea::passes {
namespace {

/// Several images' parts of the value, each a row; else all of it is the one image's.
bool has_rows(const graph::Graph& bound, graph::ValueId id) {
  const auto& shape = bound.value(id).shape;
  if (shape.empty()) return false;
  if (shape[0] == 1) return true;
  try {
    return graph::find_image_batch(bound, id).count > 1;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    return false;
  }
}

}  // namespace

graph::ValueId join_rows(graph::Graph& graph, const graph::Graph& bound,
                         const std::vector<graph::ValueId>& values) {
  const auto add = [&](const std::string& wanted, const char* type, graph::Op op,
                       std::vector<graph::ValueId> inputs) {
    const auto name = graph.unique_name(wanted);
    return graph.node(graph.add_node(name, type, std::move(op), std::move(inputs), {name}))
        .outputs[0];
  };
  std::vector<graph::ValueId> rows;
  for (const auto id : values) {
    const std::int64_t images = has_rows(bound, id) ? 1 : 0;
    if (images == 1 && values.size() == 1) return id;
    rows.push_back(add("row of " + bound.value(id).name, "Flatten",
                       graph::Reshape{graph::ReshapeKind::flatten, graph::Ints{images}, false},
                       {id}));
  }
  if (rows.size() == 1) return rows[0];
  return add("rows of targets", "Concat", graph::Concat{1}, std::move(rows));
}

}  // namespace fovea::passes
