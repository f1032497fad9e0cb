#include <cmath>

#include "base/parallel.hpp"
#include "engine/ops/elementwise.hpp"
#include "engine/ops/scalar_unary.hpp"
#include "graph/op_traits.hpp"

namespace fovea::engine {

using graph::UnaryKind;

std::optional<SimdUnary> simd_unary(const graph::Unary& op) {
  using simd::Unary;
  switch (op.kind) {
    case UnaryKind::relu:
      return SimdUnary{Unary::relu};
    case UnaryKind::leaky_relu:
      return SimdUnary{Unary::leaky_relu, op.alpha};
    case UnaryKind::clip:
      return SimdUnary{Unary::clip, op.alpha, op.beta};
    case UnaryKind::elu:
      return SimdUnary{Unary::elu, op.alpha};
    case UnaryKind::selu:
      return SimdUnary{Unary::selu, op.alpha, op.gamma};
    case UnaryKind::celu:
      return SimdUnary{Unary::celu, op.alpha};
    case UnaryKind::sigmoid:
      return SimdUnary{Unary::sigmoid};
    case UnaryKind::hard_sigmoid:
      return SimdUnary{Unary::hard_sigmoid, op.alpha, op.beta};
    case UnaryKind::hard_swish:
      return SimdUnary{Unary::hard_swish};
    case UnaryKind::tanh:
      return SimdUnary{Unary::tanh};
    case UnaryKind::softplus:
      return SimdUnary{Unary::softplus};
    case UnaryKind::softsign:
      return SimdUnary{Unary::softsign};
    case UnaryKind::mish:
      return SimdUnary{Unary::mish};
    case UnaryKind::gelu:
      return SimdUnary{Unary::gelu_erf};
    case UnaryKind::gelu_tanh:
      return SimdUnary{Unary::gelu_tanh};
    case UnaryKind::silu:
      return op.alpha == 1.f ? SimdUnary{Unary::silu} : SimdUnary{Unary::swish, op.alpha};
    case UnaryKind::erf:
      return SimdUnary{Unary::erf};
    case UnaryKind::sqrt:
      return SimdUnary{Unary::sqrt};
    case UnaryKind::exp:
      return SimdUnary{Unary::exp};
    case UnaryKind::log:
      return SimdUnary{Unary::log};
    case UnaryKind::abs:
      return SimdUnary{Unary::abs};
    case UnaryKind::neg:
      return SimdUnary{Unary::neg};
    case UnaryKind::reciprocal:
      return SimdUnary{Unary::reciprocal};
    case UnaryKind::floor:
      return SimdUnary{Unary::floor};
    case UnaryKind::ceil:
      return SimdUnary{Unary::ceil};
    case UnaryKind::sin:
      return SimdUnary{Unary::sin};
    case UnaryKind::cos:
      return SimdUnary{Unary::cos};
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
    case UnaryKind::identity:
    case UnaryKind::round:
    case UnaryKind::sign:
    case UnaryKind::logical_not:
      return std::nullopt;
  }
  return std::nullopt;
}

bool slope_from_result(const graph::Unary& op) {
  const auto reads = graph::trait::arithmetic(op).reads;
  return reads == graph::trait::result ||
         (reads == graph::trait::reads_by_fields && op.alpha >= 0);  // a leaky ReLU
}

bool keeps_zero(const graph::Unary& op) {
  switch (op.kind) {
    case UnaryKind::clip:
      return op.alpha <= 0 && op.beta >= 0;
    case UnaryKind::sigmoid:
    case UnaryKind::hard_sigmoid:
    case UnaryKind::softplus:
    case UnaryKind::exp:
    case UnaryKind::log:
    case UnaryKind::reciprocal:
    case UnaryKind::cos:
    case UnaryKind::acos:
    case UnaryKind::cosh:
    case UnaryKind::acosh:
    case UnaryKind::logical_not:
      return false;
    case UnaryKind::identity:
    case UnaryKind::relu:
    case UnaryKind::leaky_relu:
    case UnaryKind::elu:
    case UnaryKind::selu:
    case UnaryKind::celu:
    case UnaryKind::hard_swish:
    case UnaryKind::tanh:
    case UnaryKind::softsign:
    case UnaryKind::mish:
    case UnaryKind::gelu:
    case UnaryKind::gelu_tanh:
    case UnaryKind::silu:
    case UnaryKind::erf:
    case UnaryKind::sqrt:
    case UnaryKind::abs:
    case UnaryKind::neg:
    case UnaryKind::floor:
    case UnaryKind::ceil:
    case UnaryKind::round:
    case UnaryKind::sign:
    case UnaryKind::sin:
    case UnaryKind::tan:
    case UnaryKind::asin:
    case UnaryKind::atan:
    case UnaryKind::sinh:
    case UnaryKind::asinh:
    case UnaryKind::atanh:
    case UnaryKind::is_nan:
    case UnaryKind::is_inf:
      break;
  }
  return true;
}

void run_unary(const SimdUnary& f, const float* x, float* y, std::int64_t n) {
  base::parallel_for(n, kElementGrain / 4, [=](std::int64_t begin, std::int64_t end) {
    simd::kernels().unary(f.kind, f.a, f.b, x + begin, y + begin, end - begin);
  });
}

void add_unary_step(Builder& b, const graph::Unary& op, const Operand& src, const Operand& dst) {
  const auto n = stored_elements(src.desc);
  if (const auto simd_op = simd_unary(op)) {
    b.kernel([n, f = *simd_op](Pointers p) { run_unary(f, floats(p, 0), floats(p, 1), n); }, {src},
             {dst});
    return;
  }
  b.kernel(
      [n, f = scalar_unary(op).value](Pointers p) {
        const float* x = floats(p, 0);
        float* y = floats(p, 1);
        base::parallel_for(n, kElementGrain, [=](std::int64_t begin, std::int64_t end) {
          for (auto i = begin; i < end; ++i) y[i] = static_cast<float>(f(x[i]));
        });
      },
      {src}, {dst});
}

namespace {

/// Activations that GradientRule's guided and deconvolution are about.
bool is_rectifier(const graph::Unary& op) {
  switch (op.kind) {
    case UnaryKind::relu:
    case UnaryKind::leaky_relu:
    case UnaryKind::elu:
    case UnaryKind::selu:
    case UnaryKind::celu:
    case UnaryKind::silu:
    case UnaryKind::hard_swish:
    case UnaryKind::gelu:
    case UnaryKind::gelu_tanh:
    case UnaryKind::mish:
    case UnaryKind::softplus:
      return true;
    case UnaryKind::clip:
      return op.alpha == 0;
    case UnaryKind::identity:
    case UnaryKind::sigmoid:
    case UnaryKind::hard_sigmoid:
    case UnaryKind::tanh:
    case UnaryKind::softsign:
    case UnaryKind::erf:
    case UnaryKind::sqrt:
    case UnaryKind::exp:
    case UnaryKind::log:
    case UnaryKind::abs:
    case UnaryKind::neg:
    case UnaryKind::reciprocal:
    case UnaryKind::floor:
    case UnaryKind::ceil:
    case UnaryKind::round:
    case UnaryKind::sign:
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

/// max(diff, 0).
Operand positive(Builder& b, const Operand& diff, bool spent) {
  const Operand src = b.f32(diff);
  const bool in_place = spent && same_place(src, diff);
  if (in_place) b.overwritten(src);
  const Operand dst = in_place ? src : b.make(src.desc);
  add_unary_step(b, graph::Unary{.kind = UnaryKind::relu}, src, dst);
  return dst;
}

/// What pads a block has diff 0, but 0 times an infinite slope (log, sqrt) is not.
void clear_padding_step(Builder& b, const Operand& dx) {
  if (!has_padding(dx.desc)) return;
  b.kernel(
      [view = *map_view(dx.desc)](Pointers p) {
        for (std::int64_t i = 0; i < view.images; ++i)
          simd::clear_padding(floats(p, 0) + i * view.image_stride, view.layout);
      },
      {}, {dx});
}

}  // namespace

Operand unary_gradient(Builder& b, const graph::Unary& op, const Operand& gradient,
                       const Operand& at, bool overwrite) {
  const bool ruled = b.rule() != GradientRule::plain && is_rectifier(op);
  const Operand diff = ruled ? positive(b, gradient, overwrite) : gradient;
  if (ruled && b.rule() == GradientRule::deconvolution) return diff;
  const bool spent = ruled || overwrite;
  const Operand x = b.f32(at);
  const Operand dy = b.in_layout(diff, x.desc);
  const bool in_place = spent && same_place(dy, diff);
  if (in_place) b.overwritten(dy);
  const Operand dx = in_place ? dy : b.make(x.desc);
  const auto n = stored_elements(x.desc);
  const auto simd_op = simd_unary(op);
  b.kernel(
      [n, simd_op, slope = scalar_unary(op).slope](Pointers p) {
        const float* dst_grad = floats(p, 0);
        const float* src = floats(p, 1);
        float* out = floats(p, 2);
        base::parallel_for(n, kElementGrain / 4, [=](std::int64_t begin, std::int64_t end) {
          if (simd_op) {
            simd::kernels().unary_backward(simd_op->kind, simd_op->a, simd_op->b, dst_grad + begin,
                                           src + begin, out + begin, end - begin);
          } else {
            for (auto i = begin; i < end; ++i)
              out[i] = static_cast<float>(dst_grad[i] * slope(src[i]));
          }
        });
      },
      {dy, x}, {dx});
  clear_padding_step(b, dx);
  return dx;
}

Operand unary_rescaled(Builder& b, const graph::Unary& op, const Operand& diff, const Operand& at,
                       bool spent) {
  const Operand x = b.f32(at), r = b.reference_in(at, x.desc);
  const Operand dy = b.in_layout(diff, x.desc);
  const bool in_place = spent && same_place(dy, diff);
  if (in_place) b.overwritten(dy);
  const Operand dx = in_place ? dy : b.make(x.desc);
  const auto n = stored_elements(x.desc);
  if (const auto f = simd_unary(op)) {
    b.kernel(
        [n, f = *f](Pointers p) {
          const float *from = floats(p, 0), *src = floats(p, 1), *ref = floats(p, 2);
          float* out = floats(p, 3);
          base::parallel_for(n, kElementGrain / 4, [=](std::int64_t begin, std::int64_t end) {
            simd::kernels().unary_rescale(f.kind, f.a, f.b, from + begin, src + begin, ref + begin,
                                          out + begin, end - begin);
          });
        },
        {dy, x, r}, {dx});
  } else {
    // In f64 the difference of two f32 that are not equal is no rounding.
    b.kernel(
        [n, f = scalar_unary(op)](Pointers p) {
          for (std::int64_t i = 0; i < n; ++i) {
            const double own = floats(p, 1)[i], ref = floats(p, 2)[i];
            const double quotient =
                own == ref ? f.slope(own) : (f.value(own) - f.value(ref)) / (own - ref);
            floats(p, 3)[i] = static_cast<float>(floats(p, 0)[i] * quotient);
          }
        },
        {dy, x, r}, {dx});
  }
  clear_padding_step(b, dx);
  return dx;
}

void forward(const graph::Unary& op, ForwardContext& c) {
  Operand src = c.f32_in(0);
  if (op.kind == UnaryKind::identity) {
    c.out(0, c.in(0));
    return;
  }
  if (op.kind == UnaryKind::neg && c.in_type(0) != graph::DType::f32) {
    // No negative zero, which no integer is.
    const Operand dst = c.make_plain_out();
    c.b.kernel(
        [n = stored_elements(dst.desc)](Pointers p) {
          for (std::int64_t i = 0; i < n; ++i) floats(p, 1)[i] = 0.f - floats(p, 0)[i];
        },
        {c.b.plain(src)}, {dst});
    c.out(0, dst);
    return;
  }
  if (has_padding(src.desc) && !keeps_zero(op)) src = c.b.plain(src);
  const Operand dst = c.make_like(src);
  add_unary_step(c.b, op, src, dst);
  c.out(0, dst);
}

SumOffer sum_offer(const graph::Unary& op, const SumQuery& query) {
  if (op.kind != UnaryKind::identity) return {};
  return {SumOffer::Kind::passes, query.layout};
}

void backward(const graph::Unary& op, BackwardContext& c) {
  if (op.kind == UnaryKind::identity) {
    c.send(0, c.grad());
    return;
  }
  if (c.b.rule() == GradientRule::rescale)
    return c.send(0, unary_rescaled(c.b, op, c.grad(), c.in(0), c.may_overwrite(c.grad())));
  c.send(0, unary_gradient(c.b, op, c.grad(), slope_from_result(op) ? c.dst() : c.in(0),
                           c.may_overwrite(c.grad())));
}

}  // namespace fovea::engine
