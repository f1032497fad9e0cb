#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/checked.hpp"
#include "graph/evaluate/evaluate.hpp"
#include "graph/infer/context.hpp"

namespace fovea::graph::detail {
namespace {

std::int64_t combine(ReduceKind kind, std::int64_t a, std::int64_t b) {
  switch (kind) {
    case ReduceKind::prod:
      return exact_mul(a, b);
    case ReduceKind::max:
      return std::max(a, b);
    case ReduceKind::min:
      return std::min(a, b);
    case ReduceKind::mean:
    case ReduceKind::sum:
    case ReduceKind::l1:
    case ReduceKind::l2:
    case ReduceKind::sum_square:
    case ReduceKind::log_sum_exp:
    case ReduceKind::arg_max:
      break;
  }
  return exact_add(a, b);
}

double combine(ReduceKind kind, double a, double b) {
  switch (kind) {
    case ReduceKind::prod:
      return a * b;
    case ReduceKind::max:
      return std::isnan(a) || a > b ? a : b;
    case ReduceKind::min:
      return std::isnan(a) || a < b ? a : b;
    case ReduceKind::mean:
    case ReduceKind::sum:
    case ReduceKind::l1:
    case ReduceKind::l2:
    case ReduceKind::sum_square:
    case ReduceKind::log_sum_exp:
    case ReduceKind::arg_max:
      break;
  }
  return a + b;
}

/// For each element of x in order, where in the output it goes.
Ints targets(const Reduce& op, const Shape& x) {
  Shape kept = x;
  for (const auto axis : *op.axes) kept[static_cast<std::size_t>(axis)] = 1;
  const auto strides = dense_strides(kept);
  StridedView strided{x, strides, 0};
  for (const auto axis : *op.axes) strided.strides[static_cast<std::size_t>(axis)] = 0;
  Ints out;
  for_each(strided, [&](std::int64_t i) { out.push_back(i); });
  return out;
}

/// What is added up of an element.
template <class T>
T part(ReduceKind kind, T v) {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    if (kind == ReduceKind::sum_square) return exact_mul(v, v);
    if (kind == ReduceKind::l1) return v < 0 ? exact_mul(v, -1) : v;
  } else {
    if (kind == ReduceKind::sum_square) return v * v;
    if (kind == ReduceKind::l1) return std::abs(v);
  }
  return v;
}

/// Sums in T: exact for integers, f64 for floats.
template <class T, class Span>
std::vector<T> reduce(const Reduce& op, Span data, const Shape& x, std::size_t count) {
  std::vector<T> out(count);
  std::vector<bool> begun(count, false);
  const auto where_to = targets(op, x);
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto at = static_cast<std::size_t>(where_to[i]);
    const auto v = part(op.kind, static_cast<T>(data[i]));
    out[at] = begun[at] ? combine(op.kind, out[at], v) : v;
    begun[at] = true;
  }
  return out;
}

bool is_arithmetic(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::l1:
    case ReduceKind::sum_square:
    case ReduceKind::sum:
    case ReduceKind::mean:
    case ReduceKind::prod:
    case ReduceKind::max:
    case ReduceKind::min:
      return true;
    case ReduceKind::l2:
    case ReduceKind::log_sum_exp:
    case ReduceKind::arg_max:
      break;
  }
  return false;
}

}  // namespace

namespace {

/// The first of equal maxima.
Constant arg_max(const Constant& x, std::size_t axis, const Shape& shape) {
  const auto strides = dense_strides(x.shape);
  const auto extent = x.shape[axis], inner = strides[axis];
  const auto outer = base::element_count(x.shape) / std::max<std::int64_t>(1, extent * inner);
  Ints out;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < inner; ++i) {
      const auto first = x.ints.begin() + o * extent * inner + i;
      std::int64_t best = 0;
      for (std::int64_t k = 1; k < extent; ++k)
        if (first[k * inner] > first[best * inner]) best = k;
      out.push_back(best);
    }
  return Constant::of_ints(shape, std::move(out));
}

}  // namespace

namespace {

/// Of integers, cut off: the root of a sum of squares, the logarithm of a sum of exponentials.
std::optional<Constant> curved(const Reduce& op, const Constant& x, const Shape& shape) {
  const auto count = static_cast<std::size_t>(base::element_count(shape));
  Ints out(count);
  if (op.kind == ReduceKind::l2) {
    auto squares = op;
    squares.kind = ReduceKind::sum_square;
    const auto sums = reduce<std::int64_t>(squares, x.ints, x.shape, count);
    for (std::size_t i = 0; i < count; ++i) {
      out[i] = integer_of(std::sqrt(static_cast<double>(sums[i])));
      while (out[i] > sums[i] / std::max<std::int64_t>(out[i], 1)) --out[i];  // rounded up
    }
    return Constant::of_ints(shape, std::move(out), x.type);
  }
  if (op.kind != ReduceKind::log_sum_exp) return std::nullopt;
  auto largest = op;
  largest.kind = ReduceKind::max;
  const auto top = reduce<std::int64_t>(largest, x.ints, x.shape, count);
  const auto where_to = targets(op, x.shape);
  std::vector<double> sums(count, 0);
  for (std::size_t i = 0; i < where_to.size(); ++i) {
    const auto at = static_cast<std::size_t>(where_to[i]);
    sums[at] += std::exp(static_cast<double>(x.ints[i]) - static_cast<double>(top[at]));
  }
  for (std::size_t i = 0; i < count; ++i)
    out[i] = integer_of(static_cast<double>(top[i]) + std::log(sums[i]));
  return Constant::of_ints(shape, std::move(out), x.type);
}

}  // namespace

std::optional<Constant> evaluate_op(const Reduce& op, const Inputs& in, const Shape& shape) {
  const auto& x = *in[0];
  if (op.kind == ReduceKind::arg_max && x.type == DType::i64 &&
      base::element_count(x.shape) <= kMaxEvaluated)
    return arg_max(x, static_cast<std::size_t>(op.axes->front()), shape);
  const auto elements = base::element_count(x.shape);
  if (x.type != DType::f32 && !is_arithmetic(op.kind) && elements <= kMaxEvaluated)
    return curved(op, x, shape);
  if (!is_arithmetic(op.kind) || elements > kMaxEvaluated) return std::nullopt;
  const auto count = static_cast<std::size_t>(base::element_count(shape));
  const auto group = count == 0 ? 1 : elements / static_cast<std::int64_t>(count);
  if (x.type == DType::f32) {
    std::vector<float> out;
    for (const auto v : reduce<double>(op, x.floats(), x.shape, count))
      out.push_back(
          static_cast<float>(op.kind == ReduceKind::mean ? v / static_cast<double>(group) : v));
    return Constant::of_floats(shape, std::move(out));
  }
  auto out = reduce<std::int64_t>(op, x.ints, x.shape, count);
  if (op.kind == ReduceKind::mean)
    for (auto& v : out) v = exact_div(v, group);
  return Constant::of_ints(shape, std::move(out), x.type);
}

namespace {

/// Of one type, whose sums `add` makes.
template <class T, class Add>
std::vector<T> cumulative(const CumSum& op, std::span<const T> x, const Shape& shape, Add add) {
  const auto axis = static_cast<std::size_t>(*op.axis);
  const auto stride = dense_strides(shape)[axis], extent = shape[axis];
  std::vector<T> out(x.size());
  StridedView lines{shape, dense_strides(shape), 0};
  lines.shape[axis] = std::min<std::int64_t>(extent, 1);
  for_each(lines, [&](std::int64_t first) {
    auto total = add(T{}, T{});
    for (std::int64_t k = 0; k < extent; ++k) {
      const auto at = static_cast<std::size_t>(first + (op.reverse ? extent - 1 - k : k) * stride);
      if (op.exclusive) out[at] = static_cast<T>(total);
      total = add(total, x[at]);
      if (!op.exclusive) out[at] = static_cast<T>(total);
    }
  });
  return out;
}

}  // namespace

std::optional<Constant> evaluate_op(const CumSum& op, const Inputs& in, const Shape& shape) {
  const auto& x = *in[0];
  if (x.type != DType::f32)
    return Constant::of_ints(shape, cumulative<std::int64_t>(op, x.ints, shape, exact_add), x.type);
  const auto floats = x.floats();
  return Constant::of_floats(
      shape, cumulative<float>(op, floats.data, shape, [](double a, double b) { return a + b; }));
}

std::optional<Constant> evaluate_op(const Range&, const Inputs& in, const Shape& shape) {
  const auto count = shape[0];
  if (in[0]->type == DType::f32) {
    const auto start = in[0]->floats(), step = in[2]->floats();
    std::vector<float> out;
    for (std::int64_t i = 0; i < count; ++i)
      out.push_back(start[0] + static_cast<float>(i) * step[0]);
    return Constant::of_floats(shape, std::move(out));
  }
  Ints out;
  for (std::int64_t i = 0; i < count; ++i)
    out.push_back(exact_add(in[0]->ints[0], exact_mul(i, in[2]->ints[0])));
  return Constant::of_ints(shape, std::move(out));
}

std::optional<Constant> evaluate_op(const ConstantOfShape& op, const Inputs&, const Shape& shape) {
  const auto count = static_cast<std::size_t>(base::element_count(shape));
  if (op.type == DType::f32)
    return Constant::of_floats(shape, std::vector<float>(count, static_cast<float>(op.value)));
  // Files hold integers here; a double keeps those of up to 53 bits.
  if (!(op.value >= -0x1p63 && op.value < 0x1p63))
    bad_model("the value does not fit into an integer");
  return Constant::of_ints(shape, Ints(count, static_cast<std::int64_t>(op.value)), op.type);
}

}  // namespace fovea::graph::detail
