#include <type_traits>

#include "graph/ops.hpp"

namespace fovea::graph {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
// Implied in C++20, but not by clang 14.
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

std::string_view name_of(ReshapeKind kind) {
  switch (kind) {
    case ReshapeKind::reshape:
      return "Reshape";
    case ReshapeKind::flatten:
      return "Flatten";
    case ReshapeKind::squeeze:
      return "Squeeze";
    case ReshapeKind::unsqueeze:
      return "Unsqueeze";
  }
  return "Reshape";
}

}  // namespace

std::string_view name_of(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::identity:
      return "Identity";
    case UnaryKind::relu:
      return "Relu";
    case UnaryKind::leaky_relu:
      return "LeakyRelu";
    case UnaryKind::clip:
      return "Clip";
    case UnaryKind::elu:
      return "Elu";
    case UnaryKind::selu:
      return "Selu";
    case UnaryKind::celu:
      return "Celu";
    case UnaryKind::sigmoid:
      return "Sigmoid";
    case UnaryKind::hard_sigmoid:
      return "HardSigmoid";
    case UnaryKind::hard_swish:
      return "HardSwish";
    case UnaryKind::tanh:
      return "Tanh";
    case UnaryKind::softplus:
      return "Softplus";
    case UnaryKind::softsign:
      return "Softsign";
    case UnaryKind::mish:
      return "Mish";
    case UnaryKind::gelu:
      return "Gelu";
    case UnaryKind::gelu_tanh:
      return "GeluTanh";
    case UnaryKind::silu:
      return "Swish";
    case UnaryKind::erf:
      return "Erf";
    case UnaryKind::sqrt:
      return "Sqrt";
    case UnaryKind::exp:
      return "Exp";
    case UnaryKind::log:
      return "Log";
    case UnaryKind::abs:
      return "Abs";
    case UnaryKind::neg:
      return "Neg";
    case UnaryKind::reciprocal:
      return "Reciprocal";
    case UnaryKind::floor:
      return "Floor";
    case UnaryKind::ceil:
      return "Ceil";
    case UnaryKind::round:
      return "Round";
    case UnaryKind::sign:
      return "Sign";
    case UnaryKind::sin:
      return "Sin";
    case UnaryKind::cos:
      return "Cos";
    case UnaryKind::logical_not:
      return "Not";
  }
  return "Unary";
}

std::string_view name_of(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::add:
      return "Add";
    case BinaryKind::sub:
      return "Sub";
    case BinaryKind::mul:
      return "Mul";
    case BinaryKind::div:
      return "Div";
    case BinaryKind::pow:
      return "Pow";
    case BinaryKind::max:
      return "Max";
    case BinaryKind::min:
      return "Min";
    case BinaryKind::mod:
      return "Mod";
    case BinaryKind::equal:
      return "Equal";
    case BinaryKind::less:
      return "Less";
    case BinaryKind::less_or_equal:
      return "LessOrEqual";
    case BinaryKind::greater:
      return "Greater";
    case BinaryKind::greater_or_equal:
      return "GreaterOrEqual";
    case BinaryKind::logical_and:
      return "And";
    case BinaryKind::logical_or:
      return "Or";
    case BinaryKind::logical_xor:
      return "Xor";
  }
  return "Binary";
}

std::string_view name_of(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::mean:
      return "ReduceMean";
    case ReduceKind::sum:
      return "ReduceSum";
    case ReduceKind::max:
      return "ReduceMax";
    case ReduceKind::min:
      return "ReduceMin";
    case ReduceKind::prod:
      return "ReduceProd";
    case ReduceKind::l1:
      return "ReduceL1";
    case ReduceKind::l2:
      return "ReduceL2";
    case ReduceKind::sum_square:
      return "ReduceSumSquare";
    case ReduceKind::log_sum_exp:
      return "ReduceLogSumExp";
    case ReduceKind::arg_max:
      return "ArgMax";
  }
  return "Reduce";
}

std::string_view name_of(const Op& op) {
  using S = std::string_view;
  return std::visit(
      Overloaded{
          [](const Unary& o) { return name_of(o.kind); },
          [](const Binary& o) { return name_of(o.kind); },
          [](const PRelu&) { return S("PRelu"); },
          [](const Where&) { return S("Where"); },
          [](const Conv&) { return S("Conv"); },
          [](const ConvTranspose&) { return S("ConvTranspose"); },
          [](const Pool& o) { return S(o.kind == PoolKind::max ? "MaxPool" : "AveragePool"); },
          [](const Gemm&) { return S("Gemm"); },
          [](const MatMul&) { return S("MatMul"); },
          [](const Einsum&) { return S("Einsum"); },
          [](const BatchNorm&) { return S("BatchNormalization"); },
          [](const LayerNorm&) { return S("LayerNormalization"); },
          [](const InstanceNorm&) { return S("InstanceNormalization"); },
          [](const GroupNorm&) { return S("GroupNormalization"); },
          [](const Lrn&) { return S("LRN"); },
          [](const Softmax& o) { return S(o.log ? "LogSoftmax" : "Softmax"); },
          [](const Reduce& o) { return name_of(o.kind); },
          [](const Concat&) { return S("Concat"); },
          [](const Split&) { return S("Split"); },
          [](const Slice&) { return S("Slice"); },
          [](const Pad&) { return S("Pad"); },
          [](const Reshape& o) { return name_of(o.kind); },
          [](const Transpose&) { return S("Transpose"); },
          [](const Expand&) { return S("Expand"); },
          [](const Tile&) { return S("Tile"); },
          [](const Gather&) { return S("Gather"); },
          [](const GatherND&) { return S("GatherND"); },
          [](const ScatterND&) { return S("ScatterND"); },
          [](const Resize& o) { return S(o.is_upsample ? "Upsample" : "Resize"); },
          [](const DepthToSpace&) { return S("DepthToSpace"); },
          [](const SpaceToDepth&) { return S("SpaceToDepth"); },
          [](const Patch&) { return S("Patch"); },
          [](const Cast&) { return S("Cast"); },
          [](const ConstantOfShape&) { return S("ConstantOfShape"); },
          [](const Range&) { return S("Range"); },
          [](const ShapeOf&) { return S("Shape"); },
          [](const SizeOf&) { return S("Size"); },
      },
      op);
}

}  // namespace fovea::graph
