#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "reference/parts.hpp"

namespace fovea::reference {

using graph::BinaryKind;
using graph::UnaryKind;

double apply(const graph::Unary& op, double x) {
  const double a = op.alpha, b = op.beta, g = op.gamma;
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  const auto softplus = [](double v) {
    return std::log1p(std::exp(-std::abs(v))) + std::max(v, 0.0);
  };
  const double pi = 3.14159265358979323846;
  switch (op.kind) {
    case UnaryKind::identity:
      return x;
    case UnaryKind::relu:
      return std::max(x, 0.0);
    case UnaryKind::leaky_relu:
      return x < 0 ? a * x : x;
    case UnaryKind::clip:
      return std::min(std::max(x, a), b);
    case UnaryKind::elu:
      return x < 0 ? a * std::expm1(x) : x;
    case UnaryKind::selu:
      return g * (x <= 0 ? a * std::expm1(x) : x);
    case UnaryKind::celu:
      return std::max(x, 0.0) + std::min(0.0, a * std::expm1(x / a));
    case UnaryKind::sigmoid:
      return sigmoid(x);
    case UnaryKind::hard_sigmoid:
      return std::clamp(a * x + b, 0.0, 1.0);
    case UnaryKind::hard_swish:
      return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case UnaryKind::tanh:
      return std::tanh(x);
    case UnaryKind::softplus:
      return softplus(x);
    case UnaryKind::softsign:
      return x / (1 + std::abs(x));
    case UnaryKind::mish:
      return x * std::tanh(softplus(x));
    case UnaryKind::gelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case UnaryKind::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715 * x * x * x)));
    case UnaryKind::silu:
      return x * sigmoid(a * x);
    case UnaryKind::erf:
      return std::erf(x);
    case UnaryKind::sqrt:
      return std::sqrt(x);
    case UnaryKind::exp:
      return std::exp(x);
    case UnaryKind::log:
      return std::log(x);
    case UnaryKind::abs:
      return std::abs(x);
    case UnaryKind::neg:
      return -x;
    case UnaryKind::reciprocal:
      return 1 / x;
    case UnaryKind::floor:
      return std::floor(x);
    case UnaryKind::ceil:
      return std::ceil(x);
    case UnaryKind::round:
      return std::nearbyint(x);
    case UnaryKind::sign:
      return (x > 0) - (x < 0);
    case UnaryKind::sin:
      return std::sin(x);
    case UnaryKind::cos:
      return std::cos(x);
    case UnaryKind::tan:
      return std::tan(x);
    case UnaryKind::asin:
      return std::asin(x);
    case UnaryKind::acos:
      return std::acos(x);
    case UnaryKind::atan:
      return std::atan(x);
    case UnaryKind::sinh:
      return std::sinh(x);
    case UnaryKind::cosh:
      return std::cosh(x);
    case UnaryKind::asinh:
      return std::asinh(x);
    case UnaryKind::acosh:
      return std::acosh(x);
    case UnaryKind::atanh:
      return std::atanh(x);
    case UnaryKind::is_nan:
      return x != x;
    case UnaryKind::is_inf:
      return (x > 0 ? a : b) != 0 && std::isinf(x);
    case UnaryKind::logical_not:
      return x == 0;
  }
  throw std::logic_error("unknown unary");
}

double apply(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::add:
      return a + b;
    case BinaryKind::sub:
      return a - b;
    case BinaryKind::mul:
      return a * b;
    case BinaryKind::div:
      return a / b;
    case BinaryKind::pow:
      return std::pow(a, b);
    case BinaryKind::max:
      return std::max(a, b);
    case BinaryKind::min:
      return std::min(a, b);
    case BinaryKind::mod:
      return a - b * std::floor(a / b);
    case BinaryKind::fmod:
      return a - b * std::trunc(a / b);
    case BinaryKind::bit_and:
      return static_cast<double>(static_cast<std::int64_t>(a) & static_cast<std::int64_t>(b));
    case BinaryKind::bit_or:
      return static_cast<double>(static_cast<std::int64_t>(a) | static_cast<std::int64_t>(b));
    case BinaryKind::bit_xor:
      return static_cast<double>(static_cast<std::int64_t>(a) ^ static_cast<std::int64_t>(b));
    case BinaryKind::shift_left:
      return a * std::pow(2, b);
    case BinaryKind::shift_right:
      return std::floor(a / std::pow(2, b));
    case BinaryKind::equal:
      return a == b;
    case BinaryKind::less:
      return a < b;
    case BinaryKind::less_or_equal:
      return a <= b;
    case BinaryKind::greater:
      return a > b;
    case BinaryKind::greater_or_equal:
      return a >= b;
    case BinaryKind::logical_and:
      return a != 0 && b != 0;
    case BinaryKind::logical_or:
      return a != 0 || b != 0;
    case BinaryKind::logical_xor:
      return (a != 0) != (b != 0);
  }
  throw std::logic_error("unknown binary");
}

}  // namespace fovea::reference
