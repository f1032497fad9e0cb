#include <algorithm>

#include "graph/infer/context.hpp"
#include "graph/query.hpp"
#include "graph/query/edges.hpp"

namespace fovea::graph {
namespace {

/// One number per class and image: at most one extent besides the batch is above 1. Without a
/// batch: one number per class.
bool looks_like_scores(const Value& value) {
  if (value.type != DType::f32) return false;
  if (value.shape.size() < 2) return true;
  const auto wide = std::count_if(value.shape.begin() + 1, value.shape.end(),
                                  [](std::int64_t extent) { return extent > 1; });
  return wide <= 1;
}

ValueId choose_output(const Graph& graph, std::string_view name) {
  if (!name.empty()) {
    for (const auto id : graph.outputs)
      if (graph.value(id).name == name) {
        if (graph.value(id).type != DType::f32)
          throw Error(ErrorCode::invalid_argument, "the output does not hold scores",
                      {{}, std::string(name), {}});
        return id;
      }
    throw Error(ErrorCode::invalid_argument, "the model has no such output",
                {{}, std::string(name), {}});
  }
  // A version or a table of anchors is no answer about an image.
  const auto depends = detail::depends_on_inputs(graph);
  const auto first = [&](auto has_rank) {
    return std::find_if(graph.outputs.begin(), graph.outputs.end(), [&](ValueId id) {
      const bool answers = graph.inputs.empty() || depends[static_cast<std::size_t>(id.index)];
      return answers && looks_like_scores(graph.value(id)) &&
             has_rank(graph.value(id).shape.size());
    });
  };
  for (auto* has_rank :
       {+[](std::size_t rank) { return rank == 2; }, +[](std::size_t rank) { return rank > 2; },
        +[](std::size_t rank) { return rank == 1; }, +[](std::size_t) { return true; }})
    if (const auto found = first(has_rank); found != graph.outputs.end()) return *found;
  std::string shapes;
  for (const auto id : graph.outputs)
    shapes += (shapes.empty() ? "" : ", ") + graph.value(id).name + " " +
              detail::text(graph.value(id).shape);
  throw Error(ErrorCode::invalid_argument, "no output looks like class scores: " + shapes);
}

bool only_reshapes(const Op& op) {
  if (const auto* unary = std::get_if<Unary>(&op)) return unary->kind == UnaryKind::identity;
  return std::holds_alternative<Reshape>(op) || std::holds_alternative<Transpose>(op);
}

/// Is the softmax over all classes of an image?
bool over_classes(const Softmax& op, const Shape& shape) {
  if (shape.size() == 1) return true;
  std::int64_t classes = 1;
  for (std::size_t d = 1; d < shape.size(); ++d) classes *= shape[d];
  if (op.axis < 1) return false;
  return op.flatten ? op.axis == 1 : shape[static_cast<std::size_t>(op.axis)] == classes;
}

}  // namespace

Scores find_scores(const Graph& graph, std::string_view output_name) {
  Scores scores;
  scores.output = choose_output(graph, output_name);
  scores.logits = scores.output;
  for (auto id = scores.output;;) {
    const auto* node = detail::producer(graph, id);
    if (node == nullptr) return scores;
    if (const auto* softmax = std::get_if<Softmax>(&node->op)) {
      if (!over_classes(*softmax, graph.value(id).shape)) return scores;
      scores.softmax = true;
      scores.logits = node->inputs[0];
      return scores;
    }
    const auto* unary = std::get_if<Unary>(&node->op);
    if (unary != nullptr && unary->kind == UnaryKind::sigmoid) {
      scores.sigmoid = true;
      scores.logits = node->inputs[0];
      return scores;
    }
    if (!only_reshapes(node->op)) return scores;
    id = node->inputs[0];
  }
}

}  // namespace fovea::graph
