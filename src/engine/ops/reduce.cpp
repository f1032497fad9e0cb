#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::Reduce;
using graph::ReduceKind;

Shape kept_shape(const Shape& in, const graph::Ints& axes) {
  Shape out = in;
  for (const auto axis : axes) out[static_cast<std::size_t>(axis)] = 1;
  return out;
}

/// For each element of the source, row-major, which element of the result it belongs to: offsets by
/// strides that are 0 along reduced axes.
class Groups {
 public:
  Groups(const Shape& in, const graph::Ints& axes)
      : shape_(in), strides_(broadcast_strides(kept_shape(in, axes), in)) {
    for (const auto extent : in) size_ *= extent;
    for (const auto extent : kept_shape(in, axes)) groups_ *= extent;
  }
  std::int64_t size() const { return size_; }
  std::int64_t groups() const { return groups_; }

  template <class Visit>  // visit(source, group)
  void each(Visit&& visit) const {
    std::array<std::int64_t, 8> index{};
    std::int64_t group = 0;
    for (std::int64_t i = 0; i < size_; ++i) {
      visit(i, group);
      for (std::size_t axis = shape_.size(); axis-- > 0;) {
        group += strides_[axis];
        if (++index[axis] < shape_[axis]) break;
        group -= strides_[axis] * shape_[axis];
        index[axis] = 0;
      }
    }
  }

 private:
  Shape shape_;
  Dims strides_;
  std::int64_t size_ = 1;
  std::int64_t groups_ = 1;
};

/// A reduction as start, step and finish over doubles; logsumexp goes by the maximum first.
double start(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::max:
    case ReduceKind::log_sum_exp:
      return -std::numeric_limits<double>::infinity();
    case ReduceKind::min:
      return std::numeric_limits<double>::infinity();
    case ReduceKind::prod:
      return 1;
    case ReduceKind::mean:
    case ReduceKind::sum:
    case ReduceKind::l1:
    case ReduceKind::l2:
    case ReduceKind::sum_square:
    case ReduceKind::arg_max:
      break;
  }
  return 0;
}

double step(ReduceKind kind, double sum, double x) {
  switch (kind) {
    case ReduceKind::max:
    case ReduceKind::log_sum_exp:
      return std::isnan(x) || x > sum ? x : sum;
    case ReduceKind::min:
      return std::isnan(x) || x < sum ? x : sum;
    case ReduceKind::prod:
      return sum * x;
    case ReduceKind::l1:
      return sum + std::abs(x);
    case ReduceKind::l2:
    case ReduceKind::sum_square:
      return sum + x * x;
    case ReduceKind::mean:
    case ReduceKind::sum:
    case ReduceKind::arg_max:
      break;
  }
  return sum + x;
}

/// True for a mean or sum over every spatial position.
bool is_spatial(const Reduce& op, const Shape& in) {
  if (op.kind != ReduceKind::mean && op.kind != ReduceKind::sum) return false;
  if (op.axes->empty() || op.axes->size() + 2 != in.size()) return false;
  for (std::size_t i = 0; i < op.axes->size(); ++i)
    if ((*op.axes)[i] != static_cast<std::int64_t>(i) + 2) return false;
  return true;
}

/// On the map's own layout.
bool spatial_mean(const Reduce& op, ForwardContext& c) {
  if (!is_spatial(op, c.in_shape(0))) return false;
  const Operand src = c.f32_in(0);
  const auto view = map_view(src.desc);
  if (!view || view->layout.positions == 0) return false;
  const Operand dst = c.make_plain_out();
  const bool sum = op.kind == ReduceKind::sum;
  c.b.kernel(
      [v = *view, sum](Pointers p) {
        over_channels(v, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
          float* y = floats(p, 1) + n * v.layout.channels;
          simd::kernels().channel_mean(floats(p, 0) + n * v.image_stride, v.layout, begin, end, y);
          if (sum)
            simd::kernels().binary_scalar(simd::Binary::mul, y + begin,
                                          static_cast<float>(v.layout.positions), y + begin,
                                          end - begin);
        });
      },
      {src}, {dst});
  c.out(0, dst);
  return true;
}

/// The first of equal maxima along one axis; what is not a number is above all, as in numpy.
void arg_max(const Reduce& op, ForwardContext& c) {
  const Shape& in = c.in_shape(0);
  const auto axis = static_cast<std::size_t>(op.axes->front());
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= in[i];
  for (std::size_t i = axis + 1; i < in.size(); ++i) inner *= in[i];
  const Operand dst = c.make_plain_out();
  c.b.kernel(
      [outer, inner, extent = in[axis]](Pointers p) {
        for (std::int64_t o = 0; o < outer; ++o)
          for (std::int64_t i = 0; i < inner; ++i) {
            const float* x = floats(p, 0) + o * extent * inner + i;
            std::int64_t best = 0;
            for (std::int64_t k = 1; k < extent; ++k)
              if (x[k * inner] > x[best * inner] ||
                  (std::isnan(x[k * inner]) && !std::isnan(x[best * inner])))
                best = k;
            floats(p, 1)[o * inner + i] = static_cast<float>(best);
          }
      },
      {c.plain_in(0)}, {dst});
  c.out(0, dst);
}

}  // namespace

void forward(const Reduce& op, ForwardContext& c) {
  if (op.kind == ReduceKind::arg_max) return arg_max(op, c);
  if (op.axes->empty() && op.kind != ReduceKind::sum_square) {  // each element alone
    const bool size = op.kind == ReduceKind::l1 || op.kind == ReduceKind::l2;
    return forward(graph::Unary{size ? graph::UnaryKind::abs : graph::UnaryKind::identity}, c);
  }
  const bool integers = c.in_type(0) != graph::DType::f32;
  if (!integers && spatial_mean(op, c)) return;
  const Groups groups(c.in_shape(0), *op.axes);
  const Operand dst = c.make_plain_out();
  const Operand sums = c.b.make(
      {{std::max<std::int64_t>(1, groups.groups()) * 2}, Type::f32, dnnl::memory::format_tag::a});
  c.b.kernel(
      [groups, integers, kind = op.kind](Pointers p) {
        const float* x = floats(p, 0);
        auto* acc = reinterpret_cast<double*>(p[2]);
        float* y = floats(p, 1);
        std::fill(acc, acc + groups.groups(), start(kind));
        groups.each([&](std::int64_t i, std::int64_t g) { acc[g] = step(kind, acc[g], x[i]); });
        const auto count = static_cast<double>(groups.size()) /
                           static_cast<double>(std::max<std::int64_t>(1, groups.groups()));
        if (kind == ReduceKind::log_sum_exp) {
          for (std::int64_t g = 0; g < groups.groups(); ++g) y[g] = static_cast<float>(acc[g]);
          std::fill(acc, acc + groups.groups(), 0.0);
          groups.each([&](std::int64_t i, std::int64_t g) {
            acc[g] += std::isinf(y[g]) ? 0.0 : std::exp(static_cast<double>(x[i]) - y[g]);
          });
        }
        for (std::int64_t g = 0; g < groups.groups(); ++g) {
          switch (kind) {
            case ReduceKind::mean:
              y[g] = static_cast<float>(integers ? std::trunc(acc[g] / count) : acc[g] / count);
              break;
            case ReduceKind::l2:
              y[g] = static_cast<float>(std::sqrt(acc[g]));
              break;
            case ReduceKind::log_sum_exp:
              if (!std::isinf(y[g])) y[g] += static_cast<float>(std::log(acc[g]));
              break;
            case ReduceKind::sum:
            case ReduceKind::max:
            case ReduceKind::min:
            case ReduceKind::prod:
            case ReduceKind::l1:
            case ReduceKind::sum_square:
            case ReduceKind::arg_max:
              y[g] = static_cast<float>(acc[g]);
              break;
          }
          if (integers) y[g] += 0.f;  // no negative zero
        }
      },
      {c.plain_in(0)}, {dst, sums});
  c.out(0, dst);
}

namespace {

/// Each position gets its share, in the layout of the map.
bool spatial_backward(const Reduce& op, BackwardContext& c) {
  if (!is_spatial(op, c.in_shape(0))) return false;
  const Desc layout = c.grad_layout(0);
  const auto view = map_view(layout);
  if (!view || view->layout.positions == 0) return false;
  const Operand dx = c.b.make(layout);
  const float share =
      op.kind == ReduceKind::mean ? 1.f / static_cast<float>(view->layout.positions) : 1.f;
  c.b.kernel(
      [v = *view, share](Pointers p) {
        over_channels(v, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
          simd::kernels().channel_spread(floats(p, 0) + n * v.layout.channels, share, v.layout,
                                         begin, end, floats(p, 1) + n * v.image_stride);
        });
      },
      {c.plain_grad()}, {dx});
  c.send(0, dx);
  return true;
}

}  // namespace

/// A mean gives each position its share of the gradient, a maximum gives all of it to one position
/// or to equal ones in parts: nothing is lost along position axes.
SumOffer sum_offer(const Reduce& op, const SumQuery& query) {
  if (op.kind != ReduceKind::mean && op.kind != ReduceKind::max && op.kind != ReduceKind::min)
    return {};
  const auto extents = query.layout.per_extent(query.in_shape());
  if (!extents || op.axes->empty()) return {};
  SumOffer offer{SumOffer::Kind::passes, {}};
  for (std::size_t i = 0; i < extents->size(); ++i) {
    const bool reduced =
        std::find(op.axes->begin(), op.axes->end(), static_cast<std::int64_t>(i)) != op.axes->end();
    for (const auto& axis : (*extents)[i]) {
      if (!reduced) offer.out.axes.push_back(axis);
      if (reduced && axis.role != SumLayout::Role::position) return {};
    }
  }
  return offer;
}

namespace {

/// Maxima give the difference of the maxima to one element, as max pools do; sums of a function of
/// each element go by the function's quotient, and what is taken of the sum by its own.
void rescaled(const Reduce& op, BackwardContext& c) {
  if (op.kind == ReduceKind::prod)
    c.fail(ErrorCode::unsupported, "the rescale rule has no form for a product of many values");
  const Groups groups(c.in_shape(0), *op.axes);
  const Operand dx = c.make_plain_grad(0);
  const Operand x_tensor = c.plain_in(0);
  const auto count = std::max<std::int64_t>(1, groups.groups());
  // Per group: the places of both maxima, or both results.
  const Operand pairs = c.b.make({{count * 2 * 2}, Type::f32, dnnl::memory::format_tag::a});
  c.b.kernel(
      [groups, kind = op.kind](Pointers p) {
        const float *dy = floats(p, 0), *x = floats(p, 1), *r = floats(p, 2);
        float* out = floats(p, 3);
        if (kind == ReduceKind::max || kind == ReduceKind::min) {
          auto* best = reinterpret_cast<std::int64_t*>(p[4]);
          std::fill(best, best + 2 * groups.groups(), -1);
          const float sign = kind == ReduceKind::max ? 1.f : -1.f;
          groups.each([&](std::int64_t i, std::int64_t g) {
            out[i] = 0;
            if (best[2 * g] < 0 || sign * x[i] > sign * x[best[2 * g]]) best[2 * g] = i;
            if (best[2 * g + 1] < 0 || sign * r[i] > sign * r[best[2 * g + 1]]) best[2 * g + 1] = i;
          });
          for (std::int64_t g = 0; g < groups.groups(); ++g) {
            if (best[2 * g] < 0) continue;
            const float rise = x[best[2 * g]] - r[best[2 * g + 1]];
            const auto at = best[2 * g + (sign * rise < 0 ? 1 : 0)];
            const float step = x[at] - r[at];
            out[at] = dy[g] * (step == 0 ? 1.f : rise / step);
          }
          return;
        }
        auto* sums = reinterpret_cast<double*>(p[4]);
        std::fill(sums, sums + 2 * groups.groups(), 0.0);
        const bool exponents = kind == ReduceKind::log_sum_exp;
        float top = 0;
        if (exponents)
          for (std::int64_t i = 0; i < groups.size(); ++i)
            top = i == 0 ? std::max(x[i], r[i]) : std::max({top, x[i], r[i]});
        groups.each([&](std::int64_t i, std::int64_t g) {
          sums[2 * g] += exponents ? std::exp(double{x[i]} - top) : double{x[i]} * x[i];
          sums[2 * g + 1] += exponents ? std::exp(double{r[i]} - top) : double{r[i]} * r[i];
        });
        groups.each([&](std::int64_t i, std::int64_t g) {
          const double sum = sums[2 * g], sum_r = sums[2 * g + 1], step = double{x[i]} - r[i];
          double share = 0;
          switch (kind) {
            case ReduceKind::l1:
              share = step == 0 ? (x[i] > 0) - (x[i] < 0)
                                : (std::abs(double{x[i]}) - std::abs(double{r[i]})) / step;
              break;
            case ReduceKind::l2: {
              const double roots = std::sqrt(sum) + std::sqrt(sum_r);
              share = roots == 0 ? 0 : (double{x[i]} + r[i]) / roots;
              break;
            }
            case ReduceKind::log_sum_exp: {
              const double rise = sum - sum_r;
              share =
                  exp_quotient(double{x[i]} - top, double{r[i]} - top) *
                  (std::abs(rise) < 1e-7 * sum ? 2 / (sum + sum_r) : std::log(sum / sum_r) / rise);
              break;
            }
            case ReduceKind::mean:
            case ReduceKind::sum:
            case ReduceKind::max:
            case ReduceKind::min:
            case ReduceKind::prod:
            case ReduceKind::sum_square:
            case ReduceKind::arg_max:
              share = double{x[i]} + r[i];
          }
          out[i] = static_cast<float>(dy[g] * share);
        });
      },
      {c.plain_grad(), x_tensor, c.b.reference_in(c.in(0), x_tensor.desc)}, {dx, pairs});
  c.send(0, dx);
}

}  // namespace

void backward(const Reduce& op, BackwardContext& c) {
  if (spatial_backward(op, c)) return;
  if (c.b.rule() == GradientRule::rescale && backward_reads(c.node().op, 1).inputs != 0)
    return rescaled(op, c);
  const Groups groups(c.in_shape(0), *op.axes);
  const Operand dx = c.make_plain_grad(0);
  const Operand diff = c.plain_grad();
  const auto reads = backward_reads(c.node().op, 1);
  const Operand x_tensor = reads.inputs != 0 ? c.plain_in(0) : diff;
  const Operand y_tensor = reads.output ? c.b.plain(c.dst()) : diff;
  const Operand ties = c.b.make(
      {{std::max<std::int64_t>(1, groups.groups())}, Type::f32, dnnl::memory::format_tag::a});
  c.b.kernel(
      [groups, kind = op.kind](Pointers p) {
        const float* dy = floats(p, 0);
        const float* x = floats(p, 1);
        const float* y = floats(p, 2);
        float* out = floats(p, 3);
        float* count = floats(p, 4);
        const bool extreme = kind == ReduceKind::max || kind == ReduceKind::min;
        const float share = static_cast<float>(groups.groups()) / static_cast<float>(groups.size());
        if (extreme || kind == ReduceKind::prod) {
          // How many share the maximum; for a product, how many are zero.
          std::fill(count, count + groups.groups(), 0.f);
          groups.each([&](std::int64_t i, std::int64_t g) {
            count[g] += (extreme ? x[i] == y[g] : x[i] == 0.f) ? 1.f : 0.f;
          });
        }
        groups.each([&](std::int64_t i, std::int64_t g) {
          float slope = 1;
          switch (kind) {
            case ReduceKind::mean:
              slope = share;
              break;
            case ReduceKind::max:
            case ReduceKind::min:
              slope = x[i] == y[g] ? 1.f / count[g] : 0.f;
              break;
            case ReduceKind::l1:
              slope = static_cast<float>((x[i] > 0) - (x[i] < 0));
              break;
            case ReduceKind::l2:
              slope = y[g] == 0 ? 0.f : x[i] / y[g];
              break;
            case ReduceKind::sum_square:
              slope = 2 * x[i];
              break;
            case ReduceKind::log_sum_exp:
              slope = std::exp(x[i] - y[g]);
              break;
            case ReduceKind::prod:
              slope = count[g] > 0 ? 0.f : y[g] / x[i];
              break;
            case ReduceKind::sum:
            case ReduceKind::arg_max:
              break;
          }
          out[i] = dy[g] * slope;
        });
        if (kind != ReduceKind::prod) return;
        // One zero factor: its slope is the product of the others.
        groups.each([&](std::int64_t i, std::int64_t g) {
          if (x[i] != 0.f || count[g] != 1.f) return;
          float product = 1;
          groups.each([&](std::int64_t j, std::int64_t h) {
            if (h == g && j != i) product *= x[j];
          });
          out[i] = dy[g] * product;
        });
      },
      {diff, x_tensor, y_tensor}, {dx, ties});
  c.send(0, dx);
}

}  // namespace fovea::engine
