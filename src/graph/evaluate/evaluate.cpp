#include "graph/evaluate/evaluate.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"
#include "graph/infer/range.hpp"
#include "graph/op_traits.hpp"

namespace fovea::graph::detail {
namespace {

constexpr std::int64_t kFreeElements = std::int64_t{1} << 22;
constexpr std::int64_t kMaxTransposed = std::int64_t{1} << 26;

Constant extents(const Shape& shape, std::int64_t begin, std::int64_t end) {
  Ints data;
  for (auto d = begin; d < end; ++d) data.push_back(shape[static_cast<std::size_t>(d)]);
  const auto count = static_cast<std::int64_t>(data.size());
  return Constant::of_ints({count}, std::move(data));
}

bool copies_nothing(const Op& op, const Inputs& in) {
  if (const auto* unary = std::get_if<Unary>(&op)) return unary->kind == UnaryKind::identity;
  if (const auto* cast = std::get_if<Cast>(&op)) return cast->to == in[0]->type;
  return std::holds_alternative<Reshape>(op);
}

/// Lets `in` point to constants whose data is here, which `loaded` holds.
void load(Inputs& in, std::vector<Constant>& loaded) {
  loaded.reserve(in.size());
  for (auto& constant : in) {
    if (constant == nullptr || constant->deferred() == nullptr) continue;
    const auto floats = constant->floats();
    loaded.push_back(Constant::over(constant->shape, floats.data, floats.owner));
    constant = &loaded.back();
  }
}

}  // namespace

EvaluationBudget::EvaluationBudget(const Graph& graph) : left_(kFreeElements) {
  for (const auto& value : graph.values())
    if (value.constant) left_ += static_cast<std::int64_t>(value.constant->size());
}

bool EvaluationBudget::take(std::int64_t elements) {
  if (elements > left_) return false;
  left_ -= elements;
  return true;
}

Constant view(const Constant& source, const Shape& shape) {
  Constant out = source;
  out.shape = shape;
  return out;
}

std::int64_t checked_index(std::int64_t index, std::int64_t extent) {
  const auto i = index < 0 ? index + extent : index;
  if (i < 0 || i >= extent) bad_model("an index is out of range");
  return i;
}

Shape dense_strides(const Shape& shape) {
  Shape out(shape.size(), 1);
  for (auto d = shape.size(); d-- > 1;) out[d - 1] = base::checked_mul(out[d], shape[d]);
  return out;
}

StridedView broadcast_view(const Shape& from, const Shape& to) {
  StridedView strided{to, Shape(to.size(), 0), 0};
  const auto strides = dense_strides(from);
  const auto offset = to.size() - from.size();
  for (std::size_t d = 0; d < from.size(); ++d)
    if (from[d] != 1) strided.strides[offset + d] = strides[d];
  return strided;
}

Constant read(const Constant& source, const StridedView& strided, Shape shape) {
  const auto pick = [&](auto span) {
    std::vector<typename decltype(span)::value_type> out;
    out.reserve(static_cast<std::size_t>(base::element_count(shape)));
    for_each(strided, [&](std::int64_t i) { out.push_back(span[static_cast<std::size_t>(i)]); });
    return out;
  };
  if (source.type == DType::f32) {
    auto data = pick(source.floats().data);
    return Constant::of_floats(std::move(shape), std::move(data));
  }
  auto data = pick(source.ints);
  return Constant::of_ints(std::move(shape), std::move(data), source.type);
}

std::optional<std::vector<Constant>> evaluate(const Graph& graph, const Node& node,
                                              EvaluationBudget& budget, std::int64_t most) {
  const auto single = [](Constant constant) {
    std::vector<Constant> out;
    out.push_back(std::move(constant));
    return out;
  };
  // What asks for the shape of a value needs no constant.
  if (const auto* op = std::get_if<ShapeOf>(&node.op)) {
    const auto& shape = graph.value(node.inputs[0]).shape;
    const auto [begin, end] = shape_range(*op, shape.size());
    return single(extents(shape, begin, end));
  }
  if (std::holds_alternative<SizeOf>(node.op))
    return single(Constant::of_ints({}, {base::element_count(graph.value(node.inputs[0]).shape)}));

  Inputs in;
  for (const auto input : node.inputs) {
    if (input && !graph.value(input).constant) return std::nullopt;
    in.push_back(input ? &*graph.value(input).constant : nullptr);
  }
  std::int64_t count = 0;
  for (const auto output : node.outputs)
    count = base::checked_add(count, base::element_count(graph.value(output).shape));
  if (in.empty()) return std::nullopt;
  const bool transposes = std::holds_alternative<Transpose>(node.op);
  if (transposes) most = kMaxTransposed;
  if (std::holds_alternative<NonZero>(node.op)) most = kMaxNeeded;  // no engine does it
  if (!copies_nothing(node.op, in) && (count > most || !budget.take(count))) return std::nullopt;

  // What copies elements reads them more than once.
  std::vector<Constant> loaded;
  if (!copies_nothing(node.op, in)) load(in, loaded);
  if (const auto* split = std::get_if<Split>(&node.op)) return evaluate_split(*split, *in[0]);
  auto result = std::visit(
      [&]<class Operator>(const Operator& op) -> std::optional<Constant> {
        if constexpr (trait::row<Operator>.folding == trait::folded)
          return evaluate_op(op, in, graph.value(node.outputs[0]).shape);
        else
          return std::nullopt;
      },
      node.op);
  if (!result) return std::nullopt;
  return single(std::move(*result));
}

}  // namespace fovea::graph::detail
