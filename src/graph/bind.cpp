#include <algorithm>

#include "base/checked.hpp"
#include "graph/evaluate/evaluate.hpp"
#include "graph/infer.hpp"
#include "graph/infer/context.hpp"
#include "graph/structure.hpp"

namespace fovea::graph {
namespace {

using detail::bad_model;
using detail::text;

[[noreturn]] void bad_argument(const std::string& sentence, const Value& value) {
  throw Error(ErrorCode::invalid_argument, sentence, {{}, value.name, {}});
}

Shape bound_shape(const Value& value, const Shape* given, std::int64_t batch) {
  Shape out = value.shape;
  for (const auto extent : out)
    if (extent == 0 || extent < -1)
      throw Error(ErrorCode::bad_model, "the input has shape " + text(out), {{}, value.name, {}});
  if (given != nullptr) {
    if (given->size() != out.size())
      bad_argument("the shape " + text(*given) + " does not fit the model's " + text(out), value);
    for (std::size_t d = 0; d < out.size(); ++d) {
      const auto asked = (*given)[d];
      if (asked == -1) continue;
      if (asked < 1 || (out[d] != -1 && out[d] != asked))
        bad_argument("the shape " + text(*given) + " does not fit the model's " + text(out), value);
      out[d] = asked;
    }
  }
  if (!out.empty() && out[0] == -1) out[0] = batch;
  for (std::size_t d = 0; d < out.size(); ++d)
    if (out[d] == -1)
      bad_argument("extent " + std::to_string(d) + " of the input's shape " + text(value.shape) +
                       " is open: give the input's shape",
                   value);
  base::element_count(out);
  return out;
}

void bind_inputs(Graph& graph, const std::map<std::string, Shape>& shapes, std::int64_t batch) {
  if (batch < 1) throw Error(ErrorCode::invalid_argument, "the batch is " + std::to_string(batch));
  for (const auto& [name, shape] : shapes) {
    const auto id = graph.find_value(name);
    if (std::find(graph.inputs.begin(), graph.inputs.end(), id) == graph.inputs.end() || !id)
      throw Error(ErrorCode::invalid_argument, "the model has no such input", {{}, name, {}});
  }
  for (const auto id : graph.inputs) {
    auto& value = graph.value(id);
    const auto given = shapes.find(value.name);
    try {
      value.shape = bound_shape(value, given == shapes.end() ? nullptr : &given->second, batch);
    } catch (const Error& error) {
      throw error.with({{}, value.name, {}});
    }
  }
}

/// Gives input i of the node another constant of its own.
void replace_constant(Graph& graph, NodeId id, std::size_t i, Constant constant) {
  const auto old = graph.node(id).inputs[i];
  const auto name = graph.unique_name(graph.value(old).name + "/bound");
  graph.node(id).inputs[i] = graph.add_constant(name, std::move(constant));
}

/// A constant with extents of 1 behind its own, so that its first stands at `axis` of `rank`.
void align(Graph& graph, NodeId id, std::size_t i, std::int64_t axis, std::size_t rank) {
  const auto& value = graph.value(graph.node(id).inputs.at(i));
  if (!value.constant) detail::unsupported("old-style broadcasting of a computed value");
  const auto front = static_cast<std::size_t>(detail::front_axis(axis, rank));
  Constant aligned = *value.constant;
  if (front + aligned.shape.size() > rank)
    bad_model("the shape " + text(aligned.shape) + " does not fit at axis " + std::to_string(axis));
  aligned.shape.resize(rank - front, 1);
  replace_constant(graph, id, i, std::move(aligned));
}

/// Rewrites the forms that older files (and Pow of integers) have into the one that ops.hpp means.
void modernise(Graph& graph, NodeId id) {
  auto& node = graph.node(id);
  if (node.inputs.size() < 2 || !node.inputs[0] || !node.inputs[1]) return;
  const auto rank = graph.value(node.inputs[0]).shape.size();
  const auto& second = graph.value(node.inputs[1]);
  if (auto* binary = std::get_if<Binary>(&node.op)) {
    if (binary->axis) {
      const auto axis = *binary->axis;
      binary->axis.reset();
      align(graph, id, 1, axis, rank);
    } else if (binary->kind == BinaryKind::pow && second.type == DType::i64 && second.constant &&
               graph.value(node.inputs[0]).type == DType::f32) {
      replace_constant(graph, id, 1, detail::evaluate_cast(*second.constant, DType::f32));
    }
  } else if (auto* prelu = std::get_if<PRelu>(&node.op); prelu != nullptr && prelu->per_channel) {
    prelu->per_channel = false;
    // A single slope broadcasts by itself.
    if (rank > 1 && base::element_count(second.shape) != 1) align(graph, id, 1, 1, rank);
  }
}

void infer_one(Graph& graph, NodeId id) {
  auto inferred = detail::infer_node(graph, graph.node(id));
  for (std::size_t i = 0; i < inferred.output_count(); ++i) {
    auto& value = graph.value(inferred.node().outputs[i]);
    value.type = inferred.outputs()[i].type;
    value.shape = inferred.outputs()[i].shape;
  }
  graph.node(id) = std::move(inferred.node());
}

void evaluate_one(Graph& graph, NodeId id, detail::EvaluationBudget& budget) {
  const auto& node = graph.node(id);
  try {
    auto constants = detail::evaluate(graph, node, budget);
    if (!constants) return;
    for (std::size_t i = 0; i < constants->size(); ++i)
      graph.value(node.outputs[i]).constant = std::move((*constants)[i]);
  } catch (const Error& error) {
    throw error.with(where(node));
  }
}

}  // namespace

void bind(Graph& graph, const std::map<std::string, Shape>& shapes, std::int64_t batch) {
  detail::check_structure(graph);
  bind_inputs(graph, shapes, batch);
  detail::EvaluationBudget budget(graph);
  const auto count = static_cast<std::int32_t>(graph.nodes().size());
  for (NodeId id{0}; id.index < count; ++id.index) {
    try {
      modernise(graph, id);
    } catch (const Error& error) {
      throw error.with(where(graph.node(id)));
    }
    infer_one(graph, id);
    evaluate_one(graph, id, budget);
  }
}

void infer(Graph& graph) {
  detail::check_structure(graph);
  const auto count = static_cast<std::int32_t>(graph.nodes().size());
  for (NodeId id{0}; id.index < count; ++id.index) infer_one(graph, id);
}

}  // namespace fovea::graph
