#include "graph/infer/context.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace fovea::graph::detail {

void bad_model(const std::string& sentence) {
  throw Error(ErrorCode::bad_model, sentence);
}
void unsupported(const std::string& sentence) {
  throw Error(ErrorCode::unsupported, sentence);
}

std::string_view text(DType type) {
  switch (type) {
    case DType::f32:
      return "f32";
    case DType::i64:
      return "i64";
    case DType::boolean:
      return "boolean";
  }
  return "?";
}

std::int64_t front_axis(std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r)
    bad_model("axis " + std::to_string(axis) + " is outside a tensor of rank " +
              std::to_string(rank));
  return axis < 0 ? axis + r : axis;
}

Ints front_axes(const Ints& axes, std::size_t rank) {
  Ints out;
  // A list longer than the rank repeats itself: refused before it is worked on.
  if (axes.size() > rank) bad_model("more axes are given than the tensor has");
  for (const auto axis : axes) out.push_back(front_axis(axis, rank));
  std::sort(out.begin(), out.end());
  if (std::adjacent_find(out.begin(), out.end()) != out.end()) bad_model("an axis is given twice");
  return out;
}

Shape broadcast(const Shape& a, const Shape& b) {
  const auto& longer = a.size() >= b.size() ? a : b;
  const auto& shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const auto offset = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    auto& extent = out[offset + i];
    if (extent == 1)
      extent = shorter[i];
    else if (shorter[i] != 1 && shorter[i] != extent)
      bad_model("the shapes " + text(a) + " and " + text(b) + " cannot be broadcast");
  }
  return out;
}

void require_broadcasts_to(const Shape& from, const Shape& to, std::string_view what) {
  bool fits = from.size() <= to.size();
  for (std::size_t i = 1; fits && i <= from.size(); ++i)
    fits = from[from.size() - i] == 1 || from[from.size() - i] == to[to.size() - i];
  if (!fits)
    bad_model("the " + std::string(what) + " of shape " + text(from) + " does not broadcast to " +
              text(to));
}

bool InferContext::has_input(std::size_t i) const {
  return i < node_.inputs.size() && static_cast<bool>(node_.inputs[i]);
}

const Value& InferContext::input(std::size_t i) const {
  if (!has_input(i)) bad_model("input " + std::to_string(i) + " is missing");
  return graph_.value(node_.inputs[i]);
}

void InferContext::require(std::size_t i, DType expected) const {
  if (type(i) != expected)
    bad_model("input " + std::to_string(i) + " is " + std::string(text(type(i))) + " where " +
              std::string(text(expected)) + " is needed");
}

void InferContext::require_real(std::size_t i) const {
  if (type(i) != DType::f32)
    unsupported(node_.op_type + " of " + std::string(text(type(i))) + " values");
}

void InferContext::require_real_or_constant(std::size_t i) const {
  if (type(i) == DType::f32 || (type(i) == DType::i64 && input(i).constant)) return;
  try {
    require_real(i);
  } catch (const Error& error) {
    if (type(i) == DType::boolean) throw;
    throw NotConstant(error, node_.inputs[i]);
  }
}

void InferContext::require_shape(std::size_t i, const Shape& expected,
                                 std::string_view what) const {
  if (shape(i) != expected)
    bad_model("the " + std::string(what) + " has shape " + text(shape(i)) + " where " +
              text(expected) + " is needed");
}

namespace {

const Constant& parameter(const Constant& constant, std::string_view what) {
  if (constant.shape.size() > 1)
    bad_model("the " + std::string(what) + " input has shape " + text(constant.shape) +
              " where a vector is needed");
  return constant;
}

}  // namespace

const Constant& InferContext::constant(std::size_t i, std::string_view what) const {
  const auto& value = input(i);
  if (!value.constant)
    throw NotConstant(Error(ErrorCode::unsupported, "the " + std::string(what) + " input of " +
                                                        node_.op_type + " is not constant"),
                      node_.inputs[i]);
  return *value.constant;
}

Ints InferContext::constant_ints(std::size_t i, std::string_view what) const {
  const auto& constant = parameter(this->constant(i, what), what);
  if (constant.type != DType::i64)
    bad_model("the " + std::string(what) + " input does not hold integers");
  return {constant.ints.begin(), constant.ints.end()};
}

std::vector<float> InferContext::constant_floats(std::size_t i, std::string_view what) const {
  const auto& constant = parameter(this->constant(i, what), what);
  std::vector<float> out;
  if (constant.type == DType::f32) {
    out.resize(constant.size());
    constant.read(0, out);
    return out;
  }
  for (const auto v : constant.ints) out.push_back(static_cast<float>(v));
  return out;
}

bool InferContext::depends_on_feed(std::size_t i) const {
  std::vector<bool> seen(graph_.values().size(), false);
  std::vector<ValueId> open{node_.inputs[i]};
  while (!open.empty()) {
    const auto id = open.back();
    open.pop_back();
    if (!id || seen[static_cast<std::size_t>(id.index)]) continue;
    seen[static_cast<std::size_t>(id.index)] = true;
    const auto& value = graph_.value(id);
    if (value.constant) continue;
    if (!value.producer) return true;
    const auto& from = graph_.node(value.producer).inputs;
    open.insert(open.end(), from.begin(), from.end());
  }
  return false;
}

void InferContext::keep_inputs(std::size_t count) {
  if (node_.inputs.size() > count) node_.inputs.resize(count);
}

void InferContext::set_output(std::size_t i, DType type, Shape shape) {
  base::element_count(shape);
  if (outputs_.size() <= i) outputs_.resize(i + 1);
  outputs_[i] = {type, std::move(shape)};
}

void InferContext::set_output(DType type, Shape shape) {
  if (node_.outputs.size() != 1) unsupported("only the first output is supported");
  set_output(0, type, std::move(shape));
}

void check_post_ops(const PostOps& post, const Shape& result, const InferContext& c) {
  for (const auto& step : post) {
    if (step.kind != PostOp::Kind::add_input) continue;
    if (step.input < 0) bad_model("a post-op reads no input");
    c.require_shape(static_cast<std::size_t>(step.input), result, "value added");
  }
}

InferContext infer_node(const Graph& graph, const Node& node) {
  try {
    InferContext context(graph, node);
    std::visit([&](auto& op) { infer_op(op, context); }, context.node().op);
    if (context.outputs().size() != node.outputs.size())
      bad_model("the node has " + std::to_string(node.outputs.size()) + " outputs where " +
                std::to_string(context.outputs().size()) + " are needed");
    return context;
  } catch (const NotConstant& missing) {
    throw NotConstant(missing.with(where(node)), missing.id);
  } catch (const Error& error) {
    throw error.with(where(node));
  }
}

}  // namespace fovea::graph::detail
