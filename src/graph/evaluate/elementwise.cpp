#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/evaluate/evaluate.hpp"
#include "graph/infer/context.hpp"

namespace fovea::graph::detail {
namespace {

[[noreturn]] void overflow() {
  bad_model("integer arithmetic on constants overflows");
}

std::int64_t exact_sub(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (__builtin_sub_overflow(a, b, &out)) overflow();
  return out;
}

/// The remainder with the sign of the divisor, as ONNX and Python have it.
std::int64_t exact_mod(std::int64_t a, std::int64_t b) {
  if (b == 0) bad_model("a constant is divided by zero");
  if (b == -1) return 0;
  const auto rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/// The remainder with the sign of the dividend, as C has it.
std::int64_t exact_fmod(std::int64_t a, std::int64_t b) {
  if (b == 0) bad_model("a constant is divided by zero");
  return b == -1 ? 0 : a % b;
}

std::int64_t shifted(std::int64_t value, std::int64_t places, bool left) {
  if (places < 0 || value < 0) bad_model("a shift of or by a negative integer");
  if (!left) return places > 62 ? 0 : value >> places;
  if (value == 0) return 0;
  if (places > 62) overflow();
  return exact_mul(value, std::int64_t{1} << places);
}

std::int64_t exact_pow(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) bad_model("an integer constant has a negative exponent");
  std::int64_t out = 1;
  while (exponent > 0) {
    if (exponent & 1) out = exact_mul(out, base);
    exponent >>= 1;
    // Past the last factor the square may not fit and is not needed.
    if (exponent > 0) base = exact_mul(base, base);
  }
  return out;
}

std::int64_t apply(BinaryKind kind, std::int64_t a, std::int64_t b) {
  switch (kind) {
    case BinaryKind::add:
      return exact_add(a, b);
    case BinaryKind::sub:
      return exact_sub(a, b);
    case BinaryKind::mul:
      return exact_mul(a, b);
    case BinaryKind::div:
      return exact_div(a, b);
    case BinaryKind::pow:
      return exact_pow(a, b);
    case BinaryKind::mod:
      return exact_mod(a, b);
    case BinaryKind::fmod:
      return exact_fmod(a, b);
    case BinaryKind::bit_and:
      return a & b;
    case BinaryKind::bit_or:
      return a | b;
    case BinaryKind::bit_xor:
      return a ^ b;
    case BinaryKind::shift_left:
      return shifted(a, b, true);
    case BinaryKind::shift_right:
      return shifted(a, b, false);
    case BinaryKind::max:
      return std::max(a, b);
    case BinaryKind::min:
      return std::min(a, b);
    case BinaryKind::logical_and:
      return a != 0 && b != 0;
    case BinaryKind::logical_or:
      return a != 0 || b != 0;
    case BinaryKind::logical_xor:
      return (a != 0) != (b != 0);
    case BinaryKind::equal:
    case BinaryKind::less:
    case BinaryKind::less_or_equal:
    case BinaryKind::greater:
    case BinaryKind::greater_or_equal:
      break;
  }
  overflow();
}

float apply(BinaryKind kind, float a, float b) {
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
    case BinaryKind::mod: {
      const float rest = std::fmod(a, b);
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    case BinaryKind::fmod:
      return std::fmod(a, b);
    case BinaryKind::max:
      return std::isnan(a) || a > b ? a : b;
    case BinaryKind::min:
      return std::isnan(a) || a < b ? a : b;
    case BinaryKind::bit_and:
    case BinaryKind::bit_or:
    case BinaryKind::bit_xor:
    case BinaryKind::shift_left:
    case BinaryKind::shift_right:
    case BinaryKind::equal:
    case BinaryKind::less:
    case BinaryKind::less_or_equal:
    case BinaryKind::greater:
    case BinaryKind::greater_or_equal:
    case BinaryKind::logical_and:
    case BinaryKind::logical_or:
    case BinaryKind::logical_xor:
      break;
  }
  bad_model("logic on numbers");
}

template <class T>
bool compare(BinaryKind kind, T a, T b) {
  switch (kind) {
    case BinaryKind::less:
      return a < b;
    case BinaryKind::less_or_equal:
      return a <= b;
    case BinaryKind::greater:
      return a > b;
    case BinaryKind::greater_or_equal:
      return a >= b;
    case BinaryKind::add:
    case BinaryKind::sub:
    case BinaryKind::mul:
    case BinaryKind::div:
    case BinaryKind::pow:
    case BinaryKind::max:
    case BinaryKind::min:
    case BinaryKind::mod:
    case BinaryKind::fmod:
    case BinaryKind::bit_and:
    case BinaryKind::bit_or:
    case BinaryKind::bit_xor:
    case BinaryKind::shift_left:
    case BinaryKind::shift_right:
    case BinaryKind::equal:
    case BinaryKind::logical_and:
    case BinaryKind::logical_or:
    case BinaryKind::logical_xor:
      break;
  }
  return a == b;
}

bool is_comparison(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::equal:
    case BinaryKind::less:
    case BinaryKind::less_or_equal:
    case BinaryKind::greater:
    case BinaryKind::greater_or_equal:
      return true;
    case BinaryKind::add:
    case BinaryKind::sub:
    case BinaryKind::mul:
    case BinaryKind::div:
    case BinaryKind::pow:
    case BinaryKind::max:
    case BinaryKind::min:
    case BinaryKind::mod:
    case BinaryKind::fmod:
    case BinaryKind::bit_and:
    case BinaryKind::bit_or:
    case BinaryKind::bit_xor:
    case BinaryKind::shift_left:
    case BinaryKind::shift_right:
    case BinaryKind::logical_and:
    case BinaryKind::logical_or:
    case BinaryKind::logical_xor:
      break;
  }
  return false;
}

/// visit(a[i], b[i]) over both operands broadcast to `shape`.
template <class T, class Visit>
void for_each_pair(std::span<const T> a, const Shape& a_shape, std::span<const T> b,
                   const Shape& b_shape, const Shape& shape, Visit visit) {
  std::vector<std::int64_t> right;
  for_each(broadcast_view(b_shape, shape), [&](std::int64_t i) { right.push_back(i); });
  std::size_t next = 0;
  for_each(broadcast_view(a_shape, shape), [&](std::int64_t i) {
    visit(a[static_cast<std::size_t>(i)], b[static_cast<std::size_t>(right[next++])]);
  });
}

template <class T>
Constant binary(const Binary& op, std::span<const T> a, std::span<const T> b, const Inputs& in,
                const Shape& shape) {
  if (is_comparison(op.kind)) {
    Ints out;
    for_each_pair(a, in[0]->shape, b, in[1]->shape, shape,
                  [&](T x, T y) { out.push_back(compare(op.kind, x, y)); });
    return Constant::of_ints(shape, std::move(out), DType::boolean);
  }
  std::vector<T> out;
  for_each_pair(a, in[0]->shape, b, in[1]->shape, shape,
                [&](T x, T y) { out.push_back(apply(op.kind, x, y)); });
  if constexpr (std::is_same_v<T, float>)
    return Constant::of_floats(shape, std::move(out));
  else
    return Constant::of_ints(shape, std::move(out), in[0]->type);
}

std::optional<float> apply(const Unary& op, float x) {
  switch (op.kind) {
    case UnaryKind::relu:
      return std::isnan(x) || x > 0 ? x : 0.0f;
    case UnaryKind::clip:
      return std::isnan(x) ? x : std::min(std::max(x, op.alpha), op.beta);
    case UnaryKind::neg:
      return -x;
    case UnaryKind::abs:
      return std::fabs(x);
    case UnaryKind::floor:
      return std::floor(x);
    case UnaryKind::ceil:
      return std::ceil(x);
    case UnaryKind::round:
      return std::nearbyint(x);
    case UnaryKind::sign:
      return std::isnan(x) ? x : static_cast<float>((x > 0) - (x < 0));
    case UnaryKind::sqrt:
      return std::sqrt(x);
    case UnaryKind::exp:
      return std::exp(x);
    case UnaryKind::log:
      return std::log(x);
    case UnaryKind::reciprocal:
      return 1.0f / x;
    case UnaryKind::identity:
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
  return std::nullopt;
}

std::int64_t bound(const Inputs& in, std::size_t i, std::int64_t absent) {
  if (i >= in.size() || in[i] == nullptr) return absent;
  if (in[i]->ints.size() != 1) bad_model("a bound of Clip is not a single integer");
  return in[i]->ints.front();
}

std::optional<std::int64_t> apply(const Unary& op, std::int64_t x, const Inputs& in) {
  using Limits = std::numeric_limits<std::int64_t>;
  switch (op.kind) {
    case UnaryKind::relu:
      return std::max<std::int64_t>(x, 0);
    case UnaryKind::clip:
      return std::min(std::max(x, bound(in, 1, Limits::min())), bound(in, 2, Limits::max()));
    case UnaryKind::neg:
      return exact_sub(0, x);
    case UnaryKind::abs:
      return x < 0 ? exact_sub(0, x) : x;
    case UnaryKind::sign:
      return (x > 0) - (x < 0);
    case UnaryKind::logical_not:
      return x == 0;
    case UnaryKind::erf:
      return integer_of(std::erf(static_cast<double>(x)));
    case UnaryKind::log:
      return integer_of(std::log(static_cast<double>(x)));
    case UnaryKind::identity:
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
    case UnaryKind::sqrt:
    case UnaryKind::exp:
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
      break;
  }
  return std::nullopt;
}

}  // namespace

std::int64_t exact_add(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (__builtin_add_overflow(a, b, &out)) overflow();
  return out;
}

std::int64_t exact_mul(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (__builtin_mul_overflow(a, b, &out)) overflow();
  return out;
}

std::int64_t exact_div(std::int64_t a, std::int64_t b) {
  if (b == 0) bad_model("a constant is divided by zero");
  if (b == -1) return exact_sub(0, a);
  return a / b;
}

std::int64_t integer_of(double v) {
  // 2^63 is the first number that no 64-bit integer holds; NaN fails both comparisons.
  if (!(v >= -0x1p63 && v < 0x1p63)) bad_model("a constant does not fit into an integer");
  return static_cast<std::int64_t>(v);
}

std::optional<Constant> evaluate_op(const Unary& op, const Inputs& in, const Shape& shape) {
  if (op.kind == UnaryKind::identity) return view(*in[0], shape);
  const auto& x = *in[0];
  if (op.kind == UnaryKind::is_nan || op.kind == UnaryKind::is_inf) {
    Ints out(x.size(), 0);
    if (x.type == DType::f32) {
      const auto floats = x.floats();
      for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = op.kind == UnaryKind::is_nan
                     ? std::isnan(floats[i])
                     : std::isinf(floats[i]) && (floats[i] > 0 ? op.alpha : op.beta) != 0;
    }
    return Constant::of_ints(shape, std::move(out), DType::boolean);
  }
  if (x.type == DType::f32) {
    std::vector<float> out;
    for (const auto v : x.floats()) {
      const auto y = apply(op, v);
      if (!y) return std::nullopt;
      out.push_back(*y);
    }
    return Constant::of_floats(shape, std::move(out));
  }
  Ints out;
  for (const auto v : x.ints) {
    const auto y = apply(op, v, in);
    if (!y) return std::nullopt;
    out.push_back(*y);
  }
  return Constant::of_ints(shape, std::move(out), x.type);
}

/// An integer to the power of a float is an integer.
Constant integer_power(const Inputs& in, const Shape& shape) {
  std::vector<double> base(in[0]->ints.begin(), in[0]->ints.end());
  const auto floats = in[1]->floats();
  const std::vector<double> exponent(floats.data.begin(), floats.data.end());
  Ints out;
  for_each_pair(std::span<const double>(base), in[0]->shape, std::span<const double>(exponent),
                in[1]->shape, shape,
                [&](double x, double y) { out.push_back(integer_of(std::pow(x, y))); });
  return Constant::of_ints(shape, std::move(out));
}

std::optional<Constant> evaluate_op(const Binary& op, const Inputs& in, const Shape& shape) {
  if (in[0]->type != DType::f32 && in[1]->type == DType::f32) return integer_power(in, shape);
  if (in[0]->type == DType::f32) {
    const auto a = in[0]->floats(), b = in[1]->floats();
    return binary(op, a.data, b.data, in, shape);
  }
  return binary(op, in[0]->ints, in[1]->ints, in, shape);
}

std::optional<Constant> evaluate_op(const Where&, const Inputs& in, const Shape& shape) {
  const auto condition = read(*in[0], broadcast_view(in[0]->shape, shape), shape);
  const auto a = read(*in[1], broadcast_view(in[1]->shape, shape), shape);
  const auto b = read(*in[2], broadcast_view(in[2]->shape, shape), shape);
  const auto choose = [&](auto yes, auto no) {
    std::vector<typename decltype(yes)::value_type> out;
    for (std::size_t i = 0; i < yes.size(); ++i)
      out.push_back(condition.ints[i] != 0 ? yes[i] : no[i]);
    return out;
  };
  if (a.type == DType::f32)
    return Constant::of_floats(shape, choose(a.floats().data, b.floats().data));
  return Constant::of_ints(shape, choose(a.ints, b.ints), a.type);
}

std::optional<Constant> evaluate_op(const Cast& op, const Inputs& in, const Shape& shape) {
  return in[0]->type == op.to ? view(*in[0], shape) : evaluate_cast(*in[0], op.to);
}

Constant evaluate_cast(const Constant& in, DType to) {
  if (to == DType::f32) {
    std::vector<float> out;
    for (const auto v : in.ints) out.push_back(static_cast<float>(v));
    return Constant::of_floats(in.shape, std::move(out));
  }
  Ints out;
  if (in.type != DType::f32) {
    for (const auto v : in.ints) out.push_back(to == DType::boolean ? v != 0 : v);
  } else {
    for (const auto v : in.floats()) {
      out.push_back(to == DType::boolean ? v != 0 : integer_of(v));
    }
  }
  return Constant::of_ints(in.shape, std::move(out), to);
}

}  // namespace fovea::graph::detail
