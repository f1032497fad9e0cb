#include <algorithm>
#include <set>

#include "base/checked.hpp"
#include "graph/evaluate/evaluate.hpp"
#include "graph/infer.hpp"
#include "graph/infer/context.hpp"
#include "graph/infer/einsum.hpp"
#include "graph/structure.hpp"

namespace fovea::graph {
namespace {

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

/// A float to the power of a constant integer becomes a float to the power of a float.
void cast_exponent(Graph& graph, Node& node) {
  const auto* binary = std::get_if<Binary>(&node.op);
  if (binary == nullptr || binary->kind != BinaryKind::pow || node.inputs.size() < 2) return;
  if (!node.inputs[0] || !node.inputs[1]) return;
  const auto& exponent = graph.value(node.inputs[1]);
  if (exponent.type != DType::i64 || !exponent.constant ||
      graph.value(node.inputs[0]).type != DType::f32)
    return;
  auto cast = detail::evaluate_cast(*exponent.constant, DType::f32);
  const auto name = graph.unique_name(exponent.name + "/float");
  node.inputs[1] = graph.add_constant(name, std::move(cast));
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

/// The nodes between the value and constants, in order; none where they lead to an input.
std::optional<std::set<NodeId>> computed_by(const Graph& graph, ValueId wanted) {
  std::set<NodeId> out;
  std::vector<ValueId> open{wanted};
  while (!open.empty()) {
    const auto& value = graph.value(open.back());
    open.pop_back();
    if (value.constant || out.contains(value.producer)) continue;
    if (!value.producer) return std::nullopt;
    out.insert(value.producer);
    for (const auto input : graph.node(value.producer).inputs)
      if (input) open.push_back(input);
  }
  return out;
}

/// Makes the value a constant, whatever operators lie between it and constants. False where it
/// depends on an input, or is too large to be kept.
bool compute_value(Graph& graph, ValueId wanted, detail::EvaluationBudget& budget,
                   const base::Limits& limits, const Compute& compute) {
  const auto nodes = computed_by(graph, wanted);
  if (!nodes) return false;
  for (const auto id : *nodes) {
    limits.check();
    const auto& node = graph.node(id);
    try {
      auto constants = detail::evaluate(graph, node, budget, detail::kMaxNeeded);
      if (!constants && compute) {
        std::int64_t count = 0;
        for (const auto output : node.outputs)
          count = base::checked_add(count, base::element_count(graph.value(output).shape));
        if (budget.take(count)) constants = compute(graph, node);
      }
      if (!constants) return false;
      for (std::size_t i = 0; i < constants->size(); ++i)
        graph.value(node.outputs[i]).constant = std::move((*constants)[i]);
    } catch (const Error& error) {
      throw error.with(where(node));
    }
  }
  return true;
}

}  // namespace

void bind(Graph& graph, const std::map<std::string, Shape>& shapes, std::int64_t batch,
          const base::Limits& limits, const Compute& compute) {
  detail::check_structure(graph);
  bind_inputs(graph, shapes, batch);
  detail::EvaluationBudget budget(graph), needed(detail::kMaxNeeded);
  for (NodeId id{0}; id.index < static_cast<std::int32_t>(graph.nodes().size()); ++id.index) {
    limits.check();
    cast_exponent(graph, graph.node(id));
    detail::contract_in_pairs(graph, id);
    for (bool inferred = false; !inferred;) {
      try {
        infer_one(graph, id);
        inferred = true;
      } catch (const detail::NotConstant& missing) {
        if (!compute_value(graph, missing.id, needed, limits, compute)) throw Error(missing);
      }
    }
    evaluate_one(graph, id, budget);
  }
}

void infer(Graph& graph) {
  detail::check_structure(graph);
  const auto count = static_cast<std::int32_t>(graph.nodes().size());
  for (NodeId id{0}; id.index < count; ++id.index) infer_one(graph, id);
}

}  // namespace fovea::graph
