#include "engine/ops/scalar_unary.hpp"

#include <cmath>
#include <limits>

namespace fovea::engine {
namespace {

using graph::UnaryKind;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double flat(double) {
  return 0;
}

/// Which infinity counts.
ScalarUnary infinite(bool positive, bool negative) {
  if (positive && negative) return {[](double x) -> double { return std::isinf(x); }, flat};
  if (positive) return {[](double x) -> double { return x == kInfinity; }, flat};
  if (negative) return {[](double x) -> double { return x == -kInfinity; }, flat};
  return {flat, flat};
}

}  // namespace

ScalarUnary scalar_unary(const graph::Unary& op) {
  switch (op.kind) {
    case UnaryKind::tan:
      return {[](double x) { return std::tan(x); },
              [](double x) { return 1 + std::tan(x) * std::tan(x); }};
    case UnaryKind::asin:
      return {[](double x) { return std::asin(x); },
              [](double x) { return 1 / std::sqrt(1 - x * x); }};
    case UnaryKind::acos:
      return {[](double x) { return std::acos(x); },
              [](double x) { return -1 / std::sqrt(1 - x * x); }};
    case UnaryKind::atan:
      return {[](double x) { return std::atan(x); }, [](double x) { return 1 / (1 + x * x); }};
    case UnaryKind::sinh:
      return {[](double x) { return std::sinh(x); }, [](double x) { return std::cosh(x); }};
    case UnaryKind::cosh:
      return {[](double x) { return std::cosh(x); }, [](double x) { return std::sinh(x); }};
    case UnaryKind::asinh:
      return {[](double x) { return std::asinh(x); },
              [](double x) { return 1 / std::sqrt(x * x + 1); }};
    case UnaryKind::acosh:
      return {[](double x) { return std::acosh(x); },
              [](double x) { return 1 / std::sqrt(x * x - 1); }};
    case UnaryKind::atanh:
      return {[](double x) { return std::atanh(x); }, [](double x) { return 1 / (1 - x * x); }};
    case UnaryKind::round:
      return {[](double x) { return std::nearbyint(x); }, flat};
    case UnaryKind::sign:
      return {[](double x) { return std::isnan(x) ? x : static_cast<double>((x > 0) - (x < 0)); },
              flat};
    case UnaryKind::is_nan:
      return {[](double x) -> double { return std::isnan(x); }, flat};
    case UnaryKind::is_inf:
      return infinite(op.alpha != 0, op.beta != 0);
    case UnaryKind::logical_not:
      return {[](double x) -> double { return x == 0; }, flat};
    case UnaryKind::identity:
    case UnaryKind::relu:
    case UnaryKind::leaky_relu:
    case UnaryKind::clip:
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
    case UnaryKind::abs:
    case UnaryKind::neg:
    case UnaryKind::reciprocal:
    case UnaryKind::floor:
    case UnaryKind::ceil:
    case UnaryKind::sin:
    case UnaryKind::cos:
      break;
  }
  return {[](double x) { return x; }, [](double) { return 1.; }};
}

}  // namespace fovea::engine
