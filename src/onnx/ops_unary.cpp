#include <array>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

using graph::Unary;
using graph::UnaryKind;

template <UnaryKind kKind>
void plain(NodeImport& n) {
  n.emit(Unary{.kind = kKind});
}
// The smallest integer of a type has no opposite.
template <UnaryKind kKind>
void signed_size(NodeImport& n) {
  n.emit_within(n.type(0), Unary{.kind = kKind}, n.inputs());
}

void leaky_relu(NodeImport& n) {
  n.emit(Unary{.kind = UnaryKind::leaky_relu, .alpha = n.attributes.get_float("alpha", 0.01f)});
}
void elu(NodeImport& n) {
  n.emit(Unary{.kind = UnaryKind::elu, .alpha = n.attributes.get_float("alpha", 1)});
}
void selu(NodeImport& n) {
  n.emit(Unary{.kind = UnaryKind::selu,
               .alpha = n.attributes.get_float("alpha", 1.67326319217681884765625f),
               .gamma = n.attributes.get_float("gamma", 1.05070102214813232421875f)});
}
void celu(NodeImport& n) {
  const float alpha = n.attributes.get_float("alpha", 1);
  if (alpha == 0) n.bad("alpha is 0");
  n.emit(Unary{.kind = UnaryKind::celu, .alpha = alpha});
}
void hard_sigmoid(NodeImport& n) {
  n.emit(Unary{.kind = UnaryKind::hard_sigmoid,
               .alpha = n.attributes.get_float("alpha", 0.2f),
               .beta = n.attributes.get_float("beta", 0.5f)});
}
void gelu(NodeImport& n) {
  n.emit(Unary{
      .kind = n.attributes.get_choice<UnaryKind>(
          "approximate", "none", {{"none", UnaryKind::gelu}, {"tanh", UnaryKind::gelu_tanh}})});
}
void swish(NodeImport& n) {
  n.emit(Unary{.kind = UnaryKind::silu, .alpha = n.attributes.get_float("alpha", 1)});
}

constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kHighest = std::numeric_limits<float>::max();

void clip_by_attributes(NodeImport& n) {
  n.emit(Unary{.kind = UnaryKind::clip,
               .alpha = n.attributes.get_float("min", kLowest),
               .beta = n.attributes.get_float("max", kHighest)});
}
// x below the lower bound is that bound, what is then above the upper one is that: the gradient
// goes to whichever is the result, at a tie to x.
void clip_by_computed_bounds(NodeImport& n) {
  using graph::BinaryKind;
  auto x = n.input(0);
  std::optional<std::vector<graph::ValueId>> last;
  for (const int i : {1, 2}) {
    if (!n.has_input(i)) continue;
    const auto bound = n.step(graph::Reshape{.spec = graph::Ints{}}, {n.input(i)});  // a number
    if (last) x = n.step(graph::Where{}, *last);
    const graph::Binary beyond{i == 1 ? BinaryKind::less : BinaryKind::greater};
    last = {n.step(beyond, {x, bound}), bound, x};
  }
  n.emit(graph::Where{}, *last);
}
void clip_by_inputs(NodeImport& n) {
  if (n.is_computed(1) || n.is_computed(2)) return clip_by_computed_bounds(n);
  n.emit(Unary{.kind = UnaryKind::clip,
               .alpha = kLowest,
               .beta = kHighest,
               .bounds_are_inputs = n.input_count() > 1});
}

// Which infinity counts.
void is_inf(NodeImport& n) {
  n.set_result(DataType::boolean);
  n.emit(Unary{.kind = UnaryKind::is_inf,
               .alpha = n.attributes.get_flag("detect_positive", true) ? 1.f : 0.f,
               .beta = n.attributes.get_flag("detect_negative", true) ? 1.f : 0.f});
}
void is_nan(NodeImport& n) {
  n.set_result(DataType::boolean);
  n.emit(Unary{.kind = UnaryKind::is_nan});
}

// All bits turned round: -1 - x; without a sign, what is left to the largest.
void bitwise_not(NodeImport& n) {
  const auto type = n.type(0);
  if (type == DataType::u64) n.unsupported("of unsigned integers of 64 bits");
  const bool has_sign = type != DataType::u8 && type != DataType::u16 && type != DataType::u32;
  const auto largest = has_sign ? -1 : (std::int64_t{1} << (8 * size_of(type))) - 1;
  n.emit(graph::Binary{graph::BinaryKind::sub}, {n.integer(largest), n.input(0)});
}

// Towards 0 by bias, 0 where |x| <= lambd.
void shrink(NodeImport& n) {
  if (graph_type(n.type(0)) != graph::DType::f32) n.unsupported("of integers");
  using graph::BinaryKind;
  const auto binary = [&](BinaryKind kind, graph::ValueId a, graph::ValueId b) {
    return n.step(graph::Binary{kind}, {a, b});
  };
  const auto x = n.input(0);
  const float limit = n.attributes.get_float("lambd", 0.5f);
  const auto bias = n.floats({}, {n.attributes.get_float("bias", 0)});
  const auto above = binary(BinaryKind::greater, x, n.floats({}, {limit}));
  const auto below = binary(BinaryKind::less, x, n.floats({}, {-limit}));
  const auto inner =
      n.step(graph::Where{}, {above, binary(BinaryKind::sub, x, bias), n.floats({}, {0})});
  n.emit(graph::Where{}, {below, binary(BinaryKind::add, x, bias), inner});
}

// x where x > alpha, 0 elsewhere.
void thresholded_relu(NodeImport& n) {
  const auto alpha = n.floats({}, {n.attributes.get_float("alpha", 1)});
  const auto above = n.step(graph::Binary{graph::BinaryKind::greater}, {n.input(0), alpha});
  n.emit(graph::Where{}, {above, n.input(0), n.floats({}, {0})});
}

// The mask, its second output, has no meaning at inference.
void dropout_by_attributes(NodeImport& n) {
  n.attributes.ignore({"ratio", "is_test"});
  n.emit(Unary{});
}
void dropout_by_inputs(NodeImport& n) {
  n.attributes.ignore({"seed"});
  const auto* training = n.constant_input(2);
  if (n.has_input(2) && (!training || training->ints.size() != 1 || training->ints[0] != 0))
    n.unsupported("in training mode");
  n.emit(Unary{}, {n.input(0)});
}

template <UnaryKind kKind>
constexpr Row row(std::string_view op, std::int64_t first = kOldestOpset) {
  return {op, first, kNewestOpset, 1, 1, plain<kKind>};
}

constexpr std::array kRows{
    row<UnaryKind::identity>("Identity"),
    row<UnaryKind::relu>("Relu"),
    Row{"LeakyRelu", kOldestOpset, kNewestOpset, 1, 1, leaky_relu},
    Row{"Clip", kOldestOpset, 10, 1, 1, clip_by_attributes},
    Row{"Clip", 11, kNewestOpset, 1, 3, clip_by_inputs},
    Row{"Elu", kOldestOpset, kNewestOpset, 1, 1, elu},
    Row{"Selu", kOldestOpset, kNewestOpset, 1, 1, selu},
    Row{"Celu", 12, kNewestOpset, 1, 1, celu},
    row<UnaryKind::sigmoid>("Sigmoid"),
    Row{"HardSigmoid", kOldestOpset, kNewestOpset, 1, 1, hard_sigmoid},
    row<UnaryKind::hard_swish>("HardSwish", 14),
    row<UnaryKind::tanh>("Tanh"),
    row<UnaryKind::softplus>("Softplus"),
    row<UnaryKind::softsign>("Softsign"),
    row<UnaryKind::mish>("Mish", 18),
    Row{"Gelu", 20, kNewestOpset, 1, 1, gelu},
    Row{"Swish", 24, kNewestOpset, 1, 1, swish},
    Row{"ThresholdedRelu", 10, kNewestOpset, 1, 1, thresholded_relu},
    row<UnaryKind::erf>("Erf", 9),
    row<UnaryKind::sqrt>("Sqrt"),
    row<UnaryKind::exp>("Exp"),
    row<UnaryKind::log>("Log"),
    Row{"Abs", kOldestOpset, kNewestOpset, 1, 1, signed_size<UnaryKind::abs>},
    Row{"Neg", kOldestOpset, kNewestOpset, 1, 1, signed_size<UnaryKind::neg>},
    row<UnaryKind::reciprocal>("Reciprocal"),
    row<UnaryKind::floor>("Floor"),
    row<UnaryKind::ceil>("Ceil"),
    row<UnaryKind::round>("Round", 11),
    row<UnaryKind::sign>("Sign", 9),
    row<UnaryKind::sin>("Sin", 7),
    row<UnaryKind::cos>("Cos", 7),
    row<UnaryKind::tan>("Tan", 7),
    row<UnaryKind::asin>("Asin", 7),
    row<UnaryKind::acos>("Acos", 7),
    row<UnaryKind::atan>("Atan", 7),
    row<UnaryKind::sinh>("Sinh", 9),
    row<UnaryKind::cosh>("Cosh", 9),
    row<UnaryKind::asinh>("Asinh", 9),
    row<UnaryKind::acosh>("Acosh", 9),
    row<UnaryKind::atanh>("Atanh", 9),
    Row{"Shrink", 9, kNewestOpset, 1, 1, shrink},
    Row{"IsNaN", 9, kNewestOpset, 1, 1, is_nan},
    Row{"IsInf", 10, kNewestOpset, 1, 1, is_inf},
    Row{"BitwiseNot", 18, kNewestOpset, 1, 1, bitwise_not, "not of uint64"},
    row<UnaryKind::logical_not>("Not"),
    Row{"Dropout", kOldestOpset, 11, 1, 1, dropout_by_attributes, "identity; not its mask", 2},
    Row{"Dropout", 12, kNewestOpset, 1, 3, dropout_by_inputs,
        "identity; not its mask, nor training mode", 2},
};

}  // namespace

std::span<const Row> unary_rows() {
  return kRows;
}

}  // namespace fovea::onnx
