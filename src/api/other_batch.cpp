#include "api/other_batch.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "engine/plan.hpp"
#include "graph/infer.hpp"

namespace fovea::api {
namespace {

/// Is the constant the same at every place along the axis?
bool is_repeated(const graph::Constant& constant, std::size_t axis) {
  std::size_t inner = 1, along = static_cast<std::size_t>(constant.shape[axis]);
  for (std::size_t d = axis + 1; d < constant.shape.size(); ++d)
    inner *= static_cast<std::size_t>(constant.shape[d]);
  const auto same = [&](auto data) {
    for (std::size_t i = 0; i < data.size(); ++i)
      if (i / inner % along != 0 && data[i] != data[i - inner]) return false;
    return true;
  };
  return constant.type == graph::DType::f32 ? same(constant.floats())
                                            : same(std::span(constant.ints));
}

/// Did a constant grow with the images that is not the same for each of them: a mask made of the
/// extents, of which one image had the first row?
bool tell_images_apart(const graph::Graph& graph, const graph::Graph& bound) {
  const auto count = std::min(graph.values().size(), bound.values().size());
  for (std::size_t v = 0; v < count; ++v) {
    const auto& now = graph.values()[v].constant;
    const auto& before = bound.values()[v].constant;
    if (!now || !before || now->shape.size() != before->shape.size()) continue;
    for (std::size_t d = 0; d < now->shape.size(); ++d)
      if (now->shape[d] != before->shape[d] && !is_repeated(*now, d)) return true;
  }
  return false;
}

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
    if (image_batch.count != batch || !image_batch.is_followed) return std::nullopt;
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
  if (tell_images_apart(graph, bound)) return std::nullopt;
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
