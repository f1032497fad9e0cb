#include "graph/op_traits.hpp"

namespace fovea::graph {
namespace {

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
    case UnaryKind::tan:
      return "Tan";
    case UnaryKind::asin:
      return "Asin";
    case UnaryKind::acos:
      return "Acos";
    case UnaryKind::atan:
      return "Atan";
    case UnaryKind::sinh:
      return "Sinh";
    case UnaryKind::cosh:
      return "Cosh";
    case UnaryKind::asinh:
      return "Asinh";
    case UnaryKind::acosh:
      return "Acosh";
    case UnaryKind::atanh:
      return "Atanh";
    case UnaryKind::is_nan:
      return "IsNaN";
    case UnaryKind::is_inf:
      return "IsInf";
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
    case BinaryKind::fmod:
      return "Fmod";
    case BinaryKind::bit_and:
      return "BitwiseAnd";
    case BinaryKind::bit_or:
      return "BitwiseOr";
    case BinaryKind::bit_xor:
      return "BitwiseXor";
    case BinaryKind::shift_left:
      return "ShiftLeft";
    case BinaryKind::shift_right:
      return "ShiftRight";
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

std::string_view name_of(CellFunction function) {
  switch (function) {
    case CellFunction::sigmoid:
      return "Sigmoid";
    case CellFunction::tanh:
      return "Tanh";
    case CellFunction::relu:
      return "Relu";
    case CellFunction::affine:
      return "Affine";
    case CellFunction::leaky_relu:
      return "LeakyRelu";
    case CellFunction::thresholded_relu:
      return "ThresholdedRelu";
    case CellFunction::scaled_tanh:
      return "ScaledTanh";
    case CellFunction::hard_sigmoid:
      return "HardSigmoid";
    case CellFunction::elu:
      return "Elu";
    case CellFunction::softsign:
      return "Softsign";
    case CellFunction::softplus:
      return "Softplus";
  }
  return "Sigmoid";
}

namespace {

std::string_view name_by_fields(const Unary& op) {
  return name_of(op.kind);
}
std::string_view name_by_fields(const Binary& op) {
  return name_of(op.kind);
}
std::string_view name_by_fields(const Reduce& op) {
  return name_of(op.kind);
}
std::string_view name_by_fields(const Reshape& op) {
  return name_of(op.kind);
}
std::string_view name_by_fields(const Pool& op) {
  if (op.kind == PoolKind::arg_max) return "MaxPool indices";
  return op.kind == PoolKind::max ? "MaxPool" : "AveragePool";
}
std::string_view name_by_fields(const Softmax& op) {
  return op.log ? "LogSoftmax" : "Softmax";
}
std::string_view name_by_fields(const Recurrent& op) {
  switch (op.kind) {
    case CellKind::rnn:
      return "RNN";
    case CellKind::gru:
      return "GRU";
    case CellKind::lstm:
      break;
  }
  return "LSTM";
}
std::string_view name_by_fields(const Resize& op) {
  return op.is_upsample ? "Upsample" : "Resize";
}

}  // namespace

std::string_view name_of(const Op& op) {
  return std::visit(
      []<class Operator>(const Operator& o) {
        constexpr auto name = trait::row<Operator>.name;
        if constexpr (name.empty())
          return name_by_fields(o);
        else
          return name;
      },
      op);
}

}  // namespace fovea::graph
