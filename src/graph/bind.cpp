#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/checked.hpp"
#include "graph/choice.hpp"
#include "graph/evaluate/evaluate.hpp"
#include "graph/infer.hpp"
#include "graph/infer/context.hpp"
#include "graph/infer/einsum.hpp"
#include "graph/repeat.hpp"
#include "graph/structure.hpp"

namespace fovea::graph {
namespace {

using detail::text;

[[noreturn]] void bad_argument(const std::string& sentence, const Value& value) {
  throw Error(ErrorCode::invalid_argument, sentence, {{}, value.name, {}});
}

/// Throws where `given` does not fit. An extent that nobody knows stays -1.
Shape bound_shape(const Value& value, const Shape* given, std::int64_t batch) {
  Shape out = value.shape;
  if (out == kAnyShape) {
    if (given == nullptr) return out;
    out.assign(given->size(), -1);
  }
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
  if (std::find(out.begin(), out.end(), -1) == out.end()) base::element_count(out);
  return out;
}

/// Why the input cannot be used as it is bound; none where it can.
std::optional<Error> still_open(const Shape& declared, const Value& value) {
  const ErrorContext context{{}, value.name, {}};
  if (value.shape == kAnyShape)
    return Error(ErrorCode::invalid_argument,
                 "the model does not say how many extents the input has: give the input's shape",
                 context);
  for (std::size_t d = 0; d < value.shape.size(); ++d)
    if (value.shape[d] == -1)
      return Error(ErrorCode::invalid_argument,
                   "extent " + std::to_string(d) + " of the input's shape " +
                       text(declared == kAnyShape ? value.shape : declared) +
                       " is open: give the input's shape",
                   context);
  return std::nullopt;
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

/// ": on the input 'n', which may be fixed ...", but for a picture; empty without one.
std::string what_to_fix(const Graph& graph, ValueId input) {
  if (!input) return {};
  const auto& value = graph.value(input);
  if (value.type == DType::f32 && value.shape.size() > 2)
    return ": on what the input '" + value.name + "' holds, as of a picture nobody knows before";
  return ": on the input '" + value.name + "', which may be fixed when the explainer is made";
}

/// Computes what an operator must know before anything runs, whatever operators lie between it and
/// constants.
class Computing {
 public:
  Computing(Graph& graph, const base::Limits& limits, const Compute& compute)
      : graph_(graph), limits_(limits), compute_(compute), budget_(detail::kMaxNeeded) {
    for (const auto id : graph.inputs) set_unknown(id, id);
  }

  /// To be told of each node once it is bound, in their order.
  void follow(const Node& node) {
    bool unknown = false;
    ValueId from;
    for (const auto id : node.inputs) {
      if (!id || !is_unknown(id)) continue;
      unknown = true;
      from = likelier(from, input_behind(id));
    }
    if (unknown)
      for (const auto output : node.outputs) set_unknown(output, from);
  }

  /// An input whose numbers the value is made of; none where it is made of none, or of what is too
  /// large to be kept.
  ValueId input_behind(ValueId id) const {
    const auto at = static_cast<std::size_t>(id.index);
    return at < unknown_.size() && is_unknown(id) ? *unknown_[at] : ValueId{};
  }

  /// Makes the value a constant. False where it depends on an input, or is too large to be kept.
  bool make_constant(ValueId wanted) {
    if (is_unknown(wanted)) return false;
    bool known = true;
    for (const auto id : nodes_before(wanted)) {
      limits_.check();
      const auto& node = graph_.node(id);
      follow(node);
      known = known && !is_unknown(node.outputs[0]);
      if (!known) continue;  // all of them lead to what is wanted
      auto constants = computed(node);
      known = constants.has_value();
      for (std::size_t i = 0; i < node.outputs.size(); ++i)
        if (known)
          graph_.value(node.outputs[i]).constant = std::move((*constants)[i]);
        else
          set_unknown(node.outputs[i], {});
    }
    return known;
  }

 private:
  bool is_unknown(ValueId id) const {
    const auto at = static_cast<std::size_t>(id.index);
    return at < unknown_.size() && unknown_[at] && !graph_.value(id).constant;
  }
  void set_unknown(ValueId id, ValueId input) {
    unknown_.resize(graph_.values().size());
    auto& known = unknown_[static_cast<std::size_t>(id.index)];
    if (!known) known = input;
  }
  /// Of two inputs the one whose value a caller may know beforehand: no picture.
  ValueId likelier(ValueId a, ValueId b) const {
    if (!a || !b) return a ? a : b;
    const bool of_floats = graph_.value(a).type == DType::f32;
    return of_floats && graph_.value(b).type != DType::f32 ? b : a;
  }

  /// The nodes between the value and constants, in order.
  std::set<NodeId> nodes_before(ValueId wanted) const {
    std::set<NodeId> out;
    std::vector<ValueId> open{wanted};
    while (!open.empty()) {
      const auto id = open.back();
      const auto& value = graph_.value(id);
      open.pop_back();
      if (value.constant || is_unknown(id) || !value.producer || out.contains(value.producer))
        continue;
      out.insert(value.producer);
      for (const auto input : graph_.node(value.producer).inputs)
        if (input) open.push_back(input);
    }
    return out;
  }

  std::optional<std::vector<Constant>> computed(const Node& node) {
    try {
      auto constants = detail::evaluate(graph_, node, budget_, detail::kMaxNeeded);
      if (constants || !compute_) return constants;
      std::int64_t count = 0;
      for (const auto output : node.outputs)
        count = base::checked_add(count, base::element_count(graph_.value(output).shape));
      if (budget_.take(count)) constants = compute_(graph_, node);
      return constants;
    } catch (const Error& error) {
      throw error.with(where(node));
    }
  }

  Graph& graph_;
  const base::Limits& limits_;
  const Compute& compute_;
  detail::EvaluationBudget budget_;
  /// Per value that depends on an input, or on what is too large: that input. Nobody looks for it
  /// twice.
  std::vector<std::optional<ValueId>> unknown_;
};

/// The node becomes an Identity of the branch that its condition takes. `input`: one whose numbers
/// the condition is made of, where there is one.
void choose(const Graph& graph, Node& node, ValueId input) {
  const auto refuse = [&](const std::string& sentence) {
    throw Error(ErrorCode::unsupported, sentence, where(node));
  };
  const auto& condition = graph.value(node.inputs.at(0)).constant;
  if (!condition)
    refuse("the condition of an If depends on more than constants and extents" +
           what_to_fix(graph, input));
  if (condition->type != DType::boolean || condition->size() != 1)
    throw Error(ErrorCode::bad_model, "the condition of an If is not one truth value", where(node));
  const std::size_t taken = condition->ints[0] != 0 ? 1 : 2;
  if (taken >= node.inputs.size() || !node.inputs[taken])
    refuse("the branch that an If takes cannot be read");
  node.inputs = {node.inputs[taken]};
  node.op = Unary{};
}

/// Binds node by node and remembers why values could not be.
class Binding {
 public:
  Binding(Graph& graph, const base::Limits& limits, const Compute& compute,
          std::vector<Selection>* open = nullptr)
      : graph_(graph),
        open_(open),
        pairs_(detail::make_room_for_pairs(graph)),
        limits_(limits),
        computing_(graph, limits, compute),
        reasons_(graph.values().size(), kNone),
        dead_(graph.nodes().size(), false) {}

  void bind_inputs(const std::map<std::string, Shape>& shapes, std::int64_t batch) {
    if (batch < 1)
      throw Error(ErrorCode::invalid_argument, "the batch is " + std::to_string(batch));
    for (const auto& [name, shape] : shapes) {
      const auto id = graph_.find_value(name);
      if (std::find(graph_.inputs.begin(), graph_.inputs.end(), id) == graph_.inputs.end() || !id)
        throw Error(ErrorCode::invalid_argument, "the model has no such input", {{}, name, {}});
    }
    for (const auto id : graph_.inputs) {
      auto& value = graph_.value(id);
      const auto declared = value.shape;
      const auto given = shapes.find(value.name);
      try {
        value.shape = bound_shape(value, given == shapes.end() ? nullptr : &given->second, batch);
      } catch (const Error& error) {
        throw error.with({{}, value.name, {}});
      }
      if (auto why = still_open(declared, value)) lose(id, *why);
    }
  }

  void bind_nodes() {
    detail::EvaluationBudget budget(graph_);
    for (NodeId id{0}; id.index < static_cast<std::int32_t>(graph_.nodes().size()); ++id.index) {
      limits_.check();
      try {
        bind_node(id, budget);
      } catch (const Error& error) {
        if (!says_what_cannot_be(error.code())) throw;
        lose(id, error);
      }
    }
  }

  /// The outputs that could not be bound.
  std::vector<Unbound> unbound() {
    std::vector<Unbound> out;
    for (const auto id : graph_.outputs)
      if (is_lost(id)) out.push_back({id, errors_[reason(id)]});
    return out;
  }

  /// Takes out of the graph what could not be bound.
  void drop() {
    if (errors_.empty()) return;
    std::erase_if(graph_.outputs, [&](ValueId id) { return is_lost(id); });
    std::erase_if(graph_.inputs, [&](ValueId id) { return is_lost(id); });
    dead_.resize(graph_.nodes().size(), false);
    graph_.erase_nodes(dead_);
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  static bool says_what_cannot_be(ErrorCode code) {
    return code == ErrorCode::bad_model || code == ErrorCode::unsupported;
  }

  std::size_t& reason(ValueId id) {
    const auto at = static_cast<std::size_t>(id.index);
    if (at >= reasons_.size()) reasons_.resize(graph_.values().size(), kNone);
    return reasons_[at];
  }
  bool is_lost(ValueId id) { return id && reason(id) != kNone; }

  void lose(ValueId id, Error error) {
    reason(id) = errors_.size();
    errors_.push_back(std::move(error));
  }
  void lose(NodeId id, Error error) {
    lose(id, errors_.size());
    errors_.push_back(std::move(error));
  }
  void lose(NodeId id, std::size_t why) {
    dead_.resize(graph_.nodes().size(), false);
    dead_[static_cast<std::size_t>(id.index)] = true;
    for (const auto output : graph_.node(id).outputs) reason(output) = why;
  }

  /// Loops that are left have no plan.
  void lose_repeat(const Node& node, NodeId id) {
    if (begins_repeat(node)) {
      for (const auto one : counted_by(node))
        if (!is_lost(one)) computing_.make_constant(one);
      return lose(id, Error(ErrorCode::unsupported, "a step of a loop is no part of the graph",
                            where(node)));
    }
    const auto& first = graph_.node(graph_.value(node.inputs.at(1)).producer);
    for (const auto input : first.inputs)
      if (is_lost(input)) return lose(id, reason(input));
    ValueId input;
    for (const auto one : counted_by(first))
      if (!graph_.value(one).constant && !input) input = computing_.input_behind(one);
    lose(id, why_not_unrolled(graph_, first, node, what_to_fix(graph_, input)));
  }

  void bind_node(NodeId id, detail::EvaluationBudget& budget) {
    if (begins_repeat(graph_.node(id)) || ends_repeat(graph_.node(id)))
      return lose_repeat(graph_.node(id), id);
    // Of a choice the branch that is not taken may be anything.
    if (is_choice(graph_.node(id)) && !is_lost(graph_.node(id).inputs.at(0))) {
      computing_.make_constant(graph_.node(id).inputs.at(0));
      choose(graph_, graph_.node(id), computing_.input_behind(graph_.node(id).inputs.at(0)));
    }
    for (const auto input : graph_.node(id).inputs)
      if (is_lost(input)) return lose(id, reason(input));
    cast_exponent(graph_, graph_.node(id));
    if (const auto pairs = pairs_.find(id.index); pairs != pairs_.end())
      detail::contract_in_pairs(graph_, id, pairs->second);
    for (bool inferred = false; !inferred;) {
      try {
        infer_one(graph_, id);
        inferred = true;
      } catch (const detail::NotConstant& missing) {
        if (computing_.make_constant(missing.id)) continue;
        note_selection(id, missing.id);
        throw missing.with({});
      }
    }
    evaluate_one(graph_, id, budget);
    fold_emptiness(id);
    computing_.follow(graph_.node(id));
  }

  void note_selection(NodeId id, ValueId missing) {
    if (open_ == nullptr) return;
    const auto& node = graph_.node(id);
    if (std::holds_alternative<NonZero>(node.op) ||
        std::holds_alternative<NonMaxSuppression>(node.op))
      open_->push_back({node, node.outputs[0], true});
    else if (std::holds_alternative<TopK>(node.op))
      open_->push_back({node, missing, false});
  }

  bool is_empty(ValueId id) const { return id && base::element_count(graph_.value(id).shape) == 0; }
  /// A product over an extent of nothing is one over a single 0.
  void fill_products(Node& node) {
    const bool multiplies =
        std::holds_alternative<MatMul>(node.op) || std::holds_alternative<Gemm>(node.op);
    if (!multiplies || !is_empty(node.inputs[0]) || !is_empty(node.inputs[1])) return;
    for (const std::size_t i : {0u, 1u}) {
      const auto& value = graph_.value(node.inputs[i]);
      auto shape = value.shape;
      std::replace(shape.begin(), shape.end(), std::int64_t{0}, std::int64_t{1});
      const auto count =
          static_cast<std::size_t>(base::element_count(shape, ErrorCode::out_of_memory));
      auto zeros = value.type == DType::f32 ? Constant::of_floats(shape, std::vector<float>(count))
                                            : Constant::of_ints(shape, Ints(count), value.type);
      node.inputs[i] =
          graph_.add_constant(graph_.unique_name(value.name + "/zeros"), std::move(zeros));
    }
  }
  /// Nothing that runs meets a value without elements: it is a constant, what is laid behind others
  /// leaves out empty parts, and what writes nothing is a copy.
  void fold_emptiness(NodeId id) {
    auto& node = graph_.node(id);
    bool any = false;
    for (const auto output : node.outputs)
      if (auto& value = graph_.value(output); is_empty(output)) {
        if (!value.constant) value.constant = empty_constant(value.type, value.shape);
        any = true;
      }
    if (any) return;
    fill_products(node);
    if (std::holds_alternative<Concat>(node.op))
      std::erase_if(node.inputs, [&](ValueId input) { return is_empty(input); });
    const bool scatters = std::holds_alternative<ScatterND>(node.op) ||
                          std::holds_alternative<ScatterElements>(node.op);
    if (!scatters || !is_empty(node.inputs[1])) return;
    node.inputs.resize(1);
    node.op = Unary{};
  }

  Graph& graph_;
  std::vector<Selection>* open_;
  const detail::RoomForPairs pairs_;
  const base::Limits& limits_;
  Computing computing_;
  std::vector<std::size_t> reasons_;  ///< per value, of `errors_`
  std::vector<bool> dead_;
  std::vector<Error> errors_;
};

}  // namespace

std::vector<Unbound> bind_what_can_be(Graph& graph, const std::map<std::string, Shape>& shapes,
                                      std::int64_t batch, const base::Limits& limits,
                                      const Compute& compute, std::vector<Selection>* open) {
  detail::check_structure(graph);
  Binding binding(graph, limits, compute, open);
  binding.bind_inputs(shapes, batch);
  binding.bind_nodes();
  auto out = binding.unbound();
  binding.drop();
  return out;
}

void bind(Graph& graph, const std::map<std::string, Shape>& shapes, std::int64_t batch,
          const base::Limits& limits, const Compute& compute) {
  detail::check_structure(graph);
  Binding binding(graph, limits, compute);
  binding.bind_inputs(shapes, batch);
  binding.bind_nodes();
  if (const auto unbound = binding.unbound(); !unbound.empty()) throw unbound.front().error;
  binding.drop();
}

void infer(Graph& graph) {
  detail::check_structure(graph);
  const auto count = static_cast<std::int32_t>(graph.nodes().size());
  for (NodeId id{0}; id.index < count; ++id.index) infer_one(graph, id);
}

}  // namespace fovea::graph
