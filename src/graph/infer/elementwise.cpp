#include <cmath>
#include <limits>

#include "graph/infer/context.hpp"

namespace fovea::graph::detail {
namespace {

bool takes_integers(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::identity:
    case UnaryKind::relu:
    case UnaryKind::clip:
    case UnaryKind::abs:
    case UnaryKind::neg:
    case UnaryKind::sign:
      return true;
    case UnaryKind::leaky_relu:
    case UnaryKind::elu:
    case UnaryKind::selu:
    case UnaryKind::celu:
    case UnaryKind::sigmoid:
    case UnaryKind::hard_sigmoid:
    case UnaryKind::hard_swish:
    case UnaryKind::tanh:
    case UnaryKind::softplus:
    case UnaryKind::softsign:
    case UnaryKind::mish:
    case UnaryKind::gelu:
    case UnaryKind::gelu_tanh:
    case UnaryKind::silu:
    case UnaryKind::erf:
    case UnaryKind::sqrt:
    case UnaryKind::exp:
    case UnaryKind::log:
    case UnaryKind::reciprocal:
    case UnaryKind::floor:
    case UnaryKind::ceil:
    case UnaryKind::round:
    case UnaryKind::sin:
    case UnaryKind::cos:
    case UnaryKind::tan:
    case UnaryKind::asin:
    case UnaryKind::acos:
    case UnaryKind::atan:
    case UnaryKind::sinh:
    case UnaryKind::cosh:
    case UnaryKind::asinh:
    case UnaryKind::acosh:
    case UnaryKind::atanh:
    case UnaryKind::is_nan:
    case UnaryKind::is_inf:
    case UnaryKind::logical_not:
      break;
  }
  return false;
}

float clip_bound(const InferContext& c, std::size_t i, float absent) {
  if (!c.has_input(i)) return absent;
  c.require(i, c.type(0));
  const auto bound = c.constant_floats(i, i == 1 ? "min" : "max");
  if (bound.size() != 1) bad_model("a bound of Clip is not a single number");
  return bound.front();
}

}  // namespace

void infer_op(Unary& op, InferContext& c) {
  const auto type = c.type(0);
  if (op.kind == UnaryKind::logical_not)
    c.require(0, DType::boolean);
  else if (type != DType::boolean &&
           (op.kind == UnaryKind::erf || op.kind == UnaryKind::log))  // ReduceLogSum ends in a log
    c.require_real_or_constant(0);
  else if ((type == DType::boolean && op.kind != UnaryKind::identity) ||
           (type == DType::i64 && !takes_integers(op.kind)))
    c.require(0, DType::f32);

  if (op.kind == UnaryKind::clip && op.bounds_are_inputs) {
    op.alpha = clip_bound(c, 1, std::numeric_limits<float>::lowest());
    op.beta = clip_bound(c, 2, std::numeric_limits<float>::max());
    // Of constant integers they stay inputs, too: a float would round them.
    op.bounds_are_inputs = type == DType::i64 && c.input(0).constant.has_value();
    if (!op.bounds_are_inputs) c.keep_inputs(1);
  }
  if (op.kind == UnaryKind::is_nan || op.kind == UnaryKind::is_inf)
    return c.set_output(DType::boolean, c.shape(0));
  if (std::isnan(op.alpha) || std::isnan(op.beta) || std::isnan(op.gamma))
    bad_model("a parameter is not a number");
  // Bounds that cross: the upper one is the result.
  if (op.kind == UnaryKind::clip && op.alpha > op.beta) op.alpha = op.beta;
  if (op.kind == UnaryKind::celu && op.alpha == 0) bad_model("alpha is zero");
  c.set_output(type, c.shape(0));
}

void infer_op(Binary& op, InferContext& c) {
  auto result = c.type(0);
  switch (op.kind) {
    case BinaryKind::logical_and:
    case BinaryKind::logical_or:
    case BinaryKind::logical_xor:
      c.require(0, DType::boolean);
      c.require(1, DType::boolean);
      break;
    case BinaryKind::bit_and:
    case BinaryKind::bit_or:
    case BinaryKind::bit_xor:
    case BinaryKind::shift_left:
    case BinaryKind::shift_right:
      c.require(0, DType::i64);
      c.require(1, DType::i64);
      break;
    case BinaryKind::equal:
      c.require(1, c.type(0));
      result = DType::boolean;
      break;
    case BinaryKind::less:
    case BinaryKind::less_or_equal:
    case BinaryKind::greater:
    case BinaryKind::greater_or_equal:
      c.require(1, c.type(0));
      if (result == DType::boolean) c.require(0, DType::f32);
      result = DType::boolean;
      break;
    case BinaryKind::pow:
      // The exponent may be of another type.
      for (std::size_t i = 0; i < 2; ++i)
        if (c.type(i) == DType::boolean) c.require(i, DType::f32);
      break;
    case BinaryKind::add:
    case BinaryKind::sub:
    case BinaryKind::mul:
    case BinaryKind::div:
    case BinaryKind::max:
    case BinaryKind::min:
    case BinaryKind::mod:
    case BinaryKind::fmod:
      c.require(1, c.type(0));
      if (result == DType::boolean) c.require(0, DType::f32);
      break;
  }
  c.set_output(result, broadcast(c.shape(0), c.shape(1)));
}

void infer_op(PRelu&, InferContext& c) {
  for (std::size_t i = 0; i < 2; ++i) {
    c.require_real_or_constant(i);
    c.require(i, c.type(0));
  }
  require_broadcasts_to(c.shape(1), c.shape(0), "slope");
  c.set_output(c.type(0), c.shape(0));
}

void infer_op(Where&, InferContext& c) {
  c.require(0, DType::boolean);
  c.require(2, c.type(1));
  c.set_output(c.type(1), broadcast(c.shape(0), broadcast(c.shape(1), c.shape(2))));
}

void infer_op(Cast& op, InferContext& c) {
  c.set_output(op.to, c.shape(0));
}

}  // namespace fovea::graph::detail
