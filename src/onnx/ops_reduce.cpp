#include <array>
#include <limits>
#include <utility>

#include "base/checked.hpp"
#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

using graph::Reduce;
using graph::ReduceKind;

// Axes in an attribute, all of them where there is none.
Reduce with_attribute(NodeImport& n, ReduceKind kind) {
  Reduce op;
  op.kind = kind;
  op.axes = n.attributes.get_ints("axes");
  op.keep_dims = n.attributes.get_flag("keepdims", true);
  return op;
}

// Axes in input 1.
Reduce with_input(NodeImport& n, ReduceKind kind) {
  Reduce op;
  op.kind = kind;
  op.keep_dims = n.attributes.get_flag("keepdims", true);
  op.noop_with_empty_axes = n.attributes.get_flag("noop_with_empty_axes", false);
  return op;
}

template <ReduceKind kKind>
void by_attribute(NodeImport& n) {
  n.emit(with_attribute(n, kKind));
}
template <ReduceKind kKind>
void by_input(NodeImport& n) {
  n.emit(with_input(n, kKind));
}

void log_sum_by_attribute(NodeImport& n) {
  const auto sum = n.step(with_attribute(n, ReduceKind::sum), n.inputs());
  n.emit(graph::Unary{.kind = graph::UnaryKind::log}, {sum});
}
void log_sum_by_input(NodeImport& n) {
  const auto sum = n.step(with_input(n, ReduceKind::sum), n.inputs());
  n.emit(graph::Unary{.kind = graph::UnaryKind::log}, {sum});
}

// The last of equal ones is the first from the other end.
void emit_arg_max(NodeImport& n, graph::ValueId x) {
  Reduce op;
  const auto axis = n.attributes.get_int("axis", 0);
  n.set_result(DataType::i64);
  op.kind = ReduceKind::arg_max;
  op.axes = graph::Ints{axis};
  op.keep_dims = n.attributes.get_flag("keepdims", true);
  if (!n.attributes.get_flag("select_last_index", false)) return n.emit(std::move(op), {x});
  constexpr auto kFirst = std::numeric_limits<std::int64_t>::min();
  const auto turned = n.step(
      graph::Slice{graph::Ints{-1}, graph::Ints{kFirst}, graph::Ints{axis}, graph::Ints{-1}}, {x});
  graph::ShapeOf extent;
  extent.start = axis;
  if (axis != -1) extent.end = base::checked_add(axis, 1);
  const auto count =
      n.step(graph::Reshape{graph::ReshapeKind::squeeze, {}, false}, {n.step(extent, {x})});
  const graph::Binary sub{graph::BinaryKind::sub};
  const auto last = n.step(sub, {count, n.integer(1)});
  n.emit(sub, {last, n.step(std::move(op), {turned})});
}

void arg_max(NodeImport& n) {
  emit_arg_max(n, n.input(0));
}
void arg_min(NodeImport& n) {
  emit_arg_max(n, n.step(graph::Unary{.kind = graph::UnaryKind::neg}, {n.input(0)}));
}

void cum_sum(NodeImport& n) {
  graph::CumSum op;
  op.exclusive = n.attributes.get_flag("exclusive", false);
  op.reverse = n.attributes.get_flag("reverse", false);
  n.emit(std::move(op));
}

// ReduceSum takes its axes as an input from opset 13 on, the others from 18 on.
template <ReduceKind kKind>
constexpr Row attribute_row(std::string_view op) {
  return {op, kOldestOpset, kKind == ReduceKind::sum ? 12 : 17, 1, 1, by_attribute<kKind>};
}
template <ReduceKind kKind>
constexpr Row input_row(std::string_view op) {
  return {op, kKind == ReduceKind::sum ? 13 : 18, kNewestOpset, 1, 2, by_input<kKind>};
}

constexpr std::array kRows{
    attribute_row<ReduceKind::mean>("ReduceMean"),
    input_row<ReduceKind::mean>("ReduceMean"),
    attribute_row<ReduceKind::sum>("ReduceSum"),
    input_row<ReduceKind::sum>("ReduceSum"),
    attribute_row<ReduceKind::max>("ReduceMax"),
    input_row<ReduceKind::max>("ReduceMax"),
    attribute_row<ReduceKind::min>("ReduceMin"),
    input_row<ReduceKind::min>("ReduceMin"),
    attribute_row<ReduceKind::prod>("ReduceProd"),
    input_row<ReduceKind::prod>("ReduceProd"),
    attribute_row<ReduceKind::l1>("ReduceL1"),
    input_row<ReduceKind::l1>("ReduceL1"),
    attribute_row<ReduceKind::l2>("ReduceL2"),
    input_row<ReduceKind::l2>("ReduceL2"),
    attribute_row<ReduceKind::sum_square>("ReduceSumSquare"),
    input_row<ReduceKind::sum_square>("ReduceSumSquare"),
    attribute_row<ReduceKind::log_sum_exp>("ReduceLogSumExp"),
    input_row<ReduceKind::log_sum_exp>("ReduceLogSumExp"),
    Row{"ReduceLogSum", kOldestOpset, 17, 1, 1, log_sum_by_attribute},
    Row{"ReduceLogSum", 18, kNewestOpset, 1, 2, log_sum_by_input},
    Row{"CumSum", 11, kNewestOpset, 2, 2, cum_sum},
    Row{"ArgMax", kOldestOpset, kNewestOpset, 1, 1, arg_max},
    Row{"ArgMin", kOldestOpset, kNewestOpset, 1, 1, arg_min},
};

}  // namespace

std::span<const Row> reduce_rows() {
  return kRows;
}

}  // namespace fovea::onnx
