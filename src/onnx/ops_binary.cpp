#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

using graph::Binary;
using graph::BinaryKind;
using graph::ValueId;

// Opset 6 lines up b's dimensions with a's from an axis on. Numpy's rules line up the last ones, so
// b gets as many trailing ones as a has dimensions left: rank(a) - axis - rank(b). Ranks are not
// known here; the graph's shape arithmetic, folded once they are, works them out.
ValueId align_from_axis(NodeImport& n, ValueId a, ValueId b, std::int64_t axis) {
  const auto rank_of = [&](ValueId value) {
    const auto shape = n.step(graph::ShapeOf{}, {value});
    return std::pair{shape, n.step(graph::ShapeOf{}, {shape})};
  };
  const auto [a_shape, a_rank] = rank_of(a);
  const auto [b_shape, b_rank] = rank_of(b);
  const Binary sub{BinaryKind::sub};
  const auto left = n.step(sub, {n.step(sub, {a_rank, n.ints({axis})}), b_rank});
  const auto ones = n.step(graph::ConstantOfShape{graph::DType::i64, 1}, {left});
  const auto shape = n.step(graph::Concat{0}, {b_shape, ones});
  return n.step(graph::Reshape{}, {b, shape});
}

// Comparisons and logic; else of input 0's type.
template <BinaryKind kKind>
void emit_binary(NodeImport& n, std::vector<ValueId> inputs) {
  if (kKind >= BinaryKind::equal) n.set_result(DataType::boolean);
  n.emit_within(kKind >= BinaryKind::equal ? DataType::boolean : n.type(0), Binary{kKind},
                std::move(inputs));
}

// Up to opset 6: operands of one shape, unless `broadcast` says otherwise.
template <BinaryKind kKind>
void with_axis(NodeImport& n) {
  const bool broadcast = n.attributes.get_flag("broadcast", false);
  const bool has_axis = n.attributes.has("axis");
  const auto axis = n.attributes.get_int("axis", -1);
  if (axis < -1 || axis > kMaxExtent) n.bad("axis is out of range");
  auto b = n.input(1);
  // Without an axis the last dimensions line up, as they do in numpy.
  if (broadcast && has_axis && axis >= 0) b = align_from_axis(n, n.input(0), b, axis);
  emit_binary<kKind>(n, {n.input(0), b});
}

template <BinaryKind kKind>
void binary(NodeImport& n) {
  emit_binary<kKind>(n, n.inputs());
}

// The sign follows the divisor, with fmod the dividend.
void mod(NodeImport& n) {
  const bool fmod = n.attributes.get_flag("fmod", false);
  n.emit(Binary{fmod ? BinaryKind::fmod : BinaryKind::mod});
}

template <BinaryKind kKind>
void bitwise(NodeImport& n) {
  n.emit(Binary{kKind});
}

// Bits that leave 8 or 16 bits are lost; of wider types they stay, as elsewhere.
void bit_shift(NodeImport& n) {
  const bool left =
      n.attributes.get_choice<bool>("direction", "", {{"LEFT", true}, {"RIGHT", false}});
  n.emit_within(n.type(0), Binary{left ? BinaryKind::shift_left : BinaryKind::shift_right},
                n.inputs());
}

ValueId chain(NodeImport& n, BinaryKind kind, int count) {
  auto sum = n.input(0);
  for (int i = 1; i < count; ++i) sum = n.step(Binary{kind}, {sum, n.input(i)});
  return sum;
}

void require_all(NodeImport& n) {
  for (int i = 0; i < n.input_count(); ++i)
    if (!n.has_input(i)) n.bad("input " + std::to_string(i) + " is missing");
}

template <BinaryKind kKind>
void variadic(NodeImport& n) {
  require_all(n);
  const int last = n.input_count() - 1;
  if (last == 0)
    n.emit(graph::Unary{});
  else
    n.emit(Binary{kKind}, {chain(n, kKind, last), n.input(last)});
}

void mean(NodeImport& n) {
  require_all(n);
  const int count = n.input_count();
  const auto share = n.floats({}, {1.0f / static_cast<float>(count)});
  n.emit(Binary{BinaryKind::mul}, {chain(n, BinaryKind::add, count), share});
}

// Opset 6: a slope of one dimension is one value, or one per channel.
void prelu_6(NodeImport& n) {
  const auto* slope = n.constant_input(1);
  if (!slope) n.unsupported("with a slope that is not constant, before opset 7");
  const bool per_channel = slope->shape.size() == 1 && slope->shape[0] != 1;
  n.emit(graph::PRelu{},
         {n.input(0), per_channel ? align_from_axis(n, n.input(0), n.input(1), 1) : n.input(1)});
}
void prelu(NodeImport& n) {
  n.emit(graph::PRelu{});
}

void where(NodeImport& n) {
  n.set_result(n.type(1));
  n.emit(graph::Where{});
}

// (x - zero point) scale, one of each, or one per place along an axis.
void dequantize(NodeImport& n) {
  if (n.attributes.get_int("block_size", 0) != 0) n.unsupported("with a scale per block");
  n.attributes.ignore({"output_dtype"});  // floats are f32
  const auto axis = n.attributes.get_int("axis", 1);
  if (axis < -kMaxExtent || axis > kMaxExtent) n.bad("axis is out of range");
  const auto* scale = n.constant_input(1);
  if (scale == nullptr) n.unsupported("with a scale that is not constant");
  const bool is_one = scale->size() == 1;  // each step may move the constants
  n.set_result(n.type(1));
  const auto aligned = [&](int i) {
    if (is_one) return n.step(graph::Reshape{graph::ReshapeKind::squeeze, {}, false}, {n.input(i)});
    if (axis >= 0) return align_from_axis(n, n.input(0), n.input(i), axis);
    graph::Ints ones;
    for (std::int64_t d = 1; d < -axis; ++d) ones.push_back(d);
    return n.step(graph::Reshape{graph::ReshapeKind::unsqueeze, ones, false}, {n.input(i)});
  };
  auto x = n.input(0);
  if (n.has_input(2)) x = n.step(Binary{BinaryKind::sub}, {x, aligned(2)});
  x = n.step(graph::Cast{graph::DType::f32}, {x});
  n.emit(Binary{BinaryKind::mul}, {x, aligned(1)});
}

template <BinaryKind kKind>
constexpr Row axis_row(std::string_view op) {
  return {op, kOldestOpset, 6, 2, 2, with_axis<kKind>};
}
template <BinaryKind kKind>
constexpr Row numpy_row(std::string_view op, std::int64_t first = 7) {
  return {op, first, kNewestOpset, 2, 2, binary<kKind>};
}

constexpr std::array kRows{
    axis_row<BinaryKind::add>("Add"),
    numpy_row<BinaryKind::add>("Add"),
    axis_row<BinaryKind::sub>("Sub"),
    numpy_row<BinaryKind::sub>("Sub"),
    axis_row<BinaryKind::mul>("Mul"),
    numpy_row<BinaryKind::mul>("Mul"),
    axis_row<BinaryKind::div>("Div"),
    numpy_row<BinaryKind::div>("Div"),
    axis_row<BinaryKind::pow>("Pow"),
    numpy_row<BinaryKind::pow>("Pow"),
    Row{"Mod", 10, kNewestOpset, 2, 2, mod},
    Row{"BitwiseAnd", 18, kNewestOpset, 2, 2, bitwise<BinaryKind::bit_and>},
    Row{"BitwiseOr", 18, kNewestOpset, 2, 2, bitwise<BinaryKind::bit_or>},
    Row{"BitwiseXor", 18, kNewestOpset, 2, 2, bitwise<BinaryKind::bit_xor>},
    Row{"BitShift", 11, kNewestOpset, 2, 2, bit_shift},
    axis_row<BinaryKind::equal>("Equal"),
    numpy_row<BinaryKind::equal>("Equal"),
    axis_row<BinaryKind::less>("Less"),
    numpy_row<BinaryKind::less>("Less"),
    axis_row<BinaryKind::greater>("Greater"),
    numpy_row<BinaryKind::greater>("Greater"),
    numpy_row<BinaryKind::less_or_equal>("LessOrEqual", 12),
    numpy_row<BinaryKind::greater_or_equal>("GreaterOrEqual", 12),
    axis_row<BinaryKind::logical_and>("And"),
    numpy_row<BinaryKind::logical_and>("And"),
    axis_row<BinaryKind::logical_or>("Or"),
    numpy_row<BinaryKind::logical_or>("Or"),
    axis_row<BinaryKind::logical_xor>("Xor"),
    numpy_row<BinaryKind::logical_xor>("Xor"),
    Row{"DequantizeLinear", 10, kNewestOpset, 2, 3, dequantize, "not with a scale per block"},
    Row{"Max", kOldestOpset, kNewestOpset, 1, kAny, variadic<BinaryKind::max>},
    Row{"Min", kOldestOpset, kNewestOpset, 1, kAny, variadic<BinaryKind::min>},
    Row{"Sum", kOldestOpset, kNewestOpset, 1, kAny, variadic<BinaryKind::add>},
    Row{"Mean", kOldestOpset, kNewestOpset, 1, kAny, mean},
    Row{"PRelu", kOldestOpset, 6, 2, 2, prelu_6},
    Row{"PRelu", 7, kNewestOpset, 2, 2, prelu},
    Row{"Where", 9, kNewestOpset, 3, 3, where},
};

}  // namespace

std::span<const Row> binary_rows() {
  return kRows;
}

}  // namespace fovea::onnx
