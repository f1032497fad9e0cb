#include "api/other_batch.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "engine/plan.hpp"
#include "graph/infer.hpp"

namespace fovea::api {
namespace {

std::optional<Rebound> bound_to(const graph::Graph& source, const graph::Graph& bound,
                                std::vector<bool> stacked, graph::ValueId logits,
                                std::span<const graph::ValueId> values, std::int64_t batch,
                                const base::Limits& limits) {
  Rebound out{source, std::move(stacked)};
  auto& graph = out.graph;
  std::map<std::string, Shape> shapes;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    auto& value = graph.value(graph.inputs[i]);
    Shape shape = bound.value(graph.inputs[i]).shape;
    if (out.stacked[i]) {
      shape[0] = batch;
      value.shape[0] = -1;
    }
    shapes[value.name] = shape;
  }
  try {
    graph::bind(graph, shapes, batch, limits, engine::compute_node);
    const auto image_batch = graph::find_image_batch(graph, logits);
    if (image_batch.count != batch) return std::nullopt;
    for (const auto id : values) {
      Shape wanted = bound.value(id).shape;
      const auto axis = image_batch.axis_of(id);
      if (!axis || *axis >= wanted.size()) return std::nullopt;
      wanted[*axis] = batch;
      if (graph.value(id).shape != wanted) return std::nullopt;
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled || error.code() == ErrorCode::deadline_exceeded) throw;
    return std::nullopt;
  }
  engine::fold_constants(graph, limits);
  return out;
}

}  // namespace

std::vector<bool> stacked_inputs(const graph::Graph& graph, const graph::ImageBatch& image_batch) {
  std::vector<bool> out;
  for (const auto id : graph.inputs) out.push_back(image_batch.are_rows_of(id));
  return out;
}

std::optional<Rebound> with_batch(const graph::Graph& source, const graph::Graph& bound,
                                  const graph::ImageBatch& image_batch, graph::ValueId logits,
                                  std::span<const graph::ValueId> values, std::int64_t batch,
                                  const base::Limits& limits) {
  if (bound.inputs.empty()) return std::nullopt;
  auto stacked = stacked_inputs(bound, image_batch);
  if (!stacked[image_batch.input]) return std::nullopt;
  if (auto out = bound_to(source, bound, stacked, logits, values, batch, limits)) return out;
  // An extent of 1 in front of another input need not count images.
  if (image_batch.count > 1 || std::count(stacked.begin(), stacked.end(), true) == 1)
    return std::nullopt;
  stacked.assign(stacked.size(), false);
  stacked[image_batch.input] = true;
  return bound_to(source, bound, stacked, logits, values, batch, limits);
}

}  // namespace fovea::api
