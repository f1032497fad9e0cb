#include "graph/repeat.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "graph/infer/context.hpp"

namespace fovea::graph {

using detail::condition;
using detail::Steps;
using detail::trip_count;

namespace {

constexpr std::string_view kLoop = "Loop", kScan = "Scan";
constexpr std::int64_t kEndless = std::numeric_limits<std::int64_t>::max();

bool is_repeat(const Node& node) {
  return node.op_type == kLoop || node.op_type == kScan;
}

[[noreturn]] void refuse(ErrorCode code, const std::string& sentence, const Node& last) {
  throw Error(code, sentence, where(last));
}

std::int64_t single(const Constant& constant, DType type, const char* what, const Node& last) {
  if (constant.type != type || constant.size() != 1)
    refuse(ErrorCode::bad_model,
           std::string("the ") + what + " of a Loop is not one " +
               (type == DType::i64 ? "integer" : "truth value"),
           last);
  return constant.ints[0];
}

/// What a body makes of the condition, looked at through what only hands it on.
ValueId condition_made(const Graph& graph, const Repeat& repeat, const Node& last) {
  auto id = last.inputs.at(1 + repeat.own_outputs());
  for (;;) {
    const auto producer = graph.value(id).producer;
    if (!producer || graph.value(id).constant || is_repeat(graph.node(producer))) return id;
    const auto* unary = std::get_if<Unary>(&graph.node(producer).op);
    if (unary == nullptr || unary->kind != UnaryKind::identity) return id;
    id = graph.node(producer).inputs.at(0);
  }
}

Steps steps_of_scan(const Graph& bound, const Repeat& repeat, const Node& first, const Node& last) {
  std::optional<std::int64_t> length;
  for (std::size_t i = 0; i < repeat.scanned.size(); ++i) {
    const auto& shape = bound.value(first.inputs.at(1 + repeat.carried + i)).shape;
    const auto axis = detail::front_axis(repeat.scanned[i].axis, shape.size());
    const auto extent = shape[static_cast<std::size_t>(axis)];
    if (length.value_or(extent) != extent)
      refuse(ErrorCode::bad_model, "a Scan is over values of several lengths", last);
    length = extent;
  }
  return {length.value_or(0), false};
}

}  // namespace

namespace detail {

ValueId trip_count(const Node& first) {
  return first.inputs.size() > 1 ? first.inputs[1] : ValueId{};
}
ValueId condition(const Node& first) {
  return first.inputs.size() > 2 ? first.inputs[2] : ValueId{};
}

Steps steps_of(const Graph& graph, const Graph& bound, const Node& first, const Node& last,
               const std::string& hint) {
  const auto repeat = repeat_of(graph, first);
  const auto unknown = [&](const char* what) {
    refuse(
        ErrorCode::unsupported,
        std::string("the ") + what + " of a Loop depends on more than constants and extents" + hint,
        last);
  };
  Steps out{kEndless, false};
  if (repeat.is_scan) {
    out = steps_of_scan(bound, repeat, first, last);
  } else {
    if (const auto id = trip_count(first)) {
      const auto& trips = bound.value(id).constant;
      if (!trips) unknown("trip count");
      out.count = std::max<std::int64_t>(single(*trips, DType::i64, "trip count", last), 0);
    }
    if (const auto id = condition(first)) {
      const auto& holds = bound.value(id).constant;
      if (!holds) unknown("condition");
      if (single(*holds, DType::boolean, "condition", last) == 0) return {0, false};
    }
    const auto made = condition_made(graph, repeat, last);
    const auto& constant = graph.value(made).constant;
    if (constant && single(*constant, DType::boolean, "condition", last) == 0)
      out.count = std::min<std::int64_t>(out.count, 1);
    out.is_computed = !constant && made != first.outputs.at(1);
    if (out.count == kEndless && !out.is_computed)
      refuse(ErrorCode::unsupported, "a Loop never ends", last);
  }
  if (out.count > kMaxSteps && !out.is_computed)
    refuse(ErrorCode::unsupported,
           "a " + first.op_type + " has " + std::to_string(out.count) + " steps, and " +
               std::to_string(kMaxSteps) + " at most are unrolled",
           last);
  return out;
}

}  // namespace detail

Constant Repeat::encoded() const {
  Ints out{is_scan, static_cast<std::int64_t>(carried), number_is_vector, condition_is_vector};
  for (const auto* list : {&scanned, &collected}) {
    out.push_back(std::ssize(*list));
    for (const auto& one : *list) out.insert(out.end(), {one.axis, one.reversed});
  }
  const auto count = std::ssize(out);
  return Constant::of_ints({count}, std::move(out));
}

Repeat Repeat::decoded(const Constant& constant) {
  std::size_t at = 0;
  const auto next = [&] { return constant.ints[at++]; };
  Repeat out;
  out.is_scan = next() != 0;
  out.carried = static_cast<std::size_t>(next());
  out.number_is_vector = next() != 0;
  out.condition_is_vector = next() != 0;
  for (auto* list : {&out.scanned, &out.collected})
    for (auto left = next(); left > 0; --left) {
      const auto axis = next();
      list->push_back({axis, next() != 0});
    }
  return out;
}

bool begins_repeat(const Node& node) {
  return is_repeat(node) && std::holds_alternative<Unary>(node.op) && !node.inputs.empty();
}

bool ends_repeat(const Node& node) {
  return is_repeat(node) && std::holds_alternative<Concat>(node.op);
}

Op begin_of_repeat() {
  return Unary{};
}

Op end_of_repeat() {
  return Concat{};
}

Repeat repeat_of(const Graph& graph, const Node& node) {
  return Repeat::decoded(*graph.value(node.inputs.at(0)).constant);
}

std::vector<ValueId> counted_by(const Node& first) {
  std::vector<ValueId> out;
  if (first.op_type != kLoop) return out;
  for (const auto id : {trip_count(first), condition(first)})
    if (id) out.push_back(id);
  return out;
}

Error why_not_unrolled(const Graph& bound, const Node& first, const Node& last,
                       const std::string& hint) {
  const auto because = [&](const std::string& sentence) {
    return Error(ErrorCode::unsupported, sentence, where(last));
  };
  try {
    const auto steps = detail::steps_of(bound, bound, first, last, hint);
    if (steps.is_computed)
      return because("the condition of a Loop does not end it within " + std::to_string(kMaxSteps) +
                     " steps, as far as constants and extents say");
    if (steps.count == 0) return because("a Loop of no steps collects nothing");
    return because("unrolled, a " + last.op_type + " of " + std::to_string(steps.count) +
                   " steps makes the graph larger than " + std::to_string(kMaxUnrolledNodes) +
                   " nodes, or waits for too many others");
  } catch (const Error& error) {
    return error.with(where(last));
  }
}

}  // namespace fovea::graph
