#pragma once

#include "simd/kernels/elementwise.hpp"
#include "simd/kernels/pool.hpp"

/// DeepLIFT's rescale rule: (f(x) - f(r)) / (x - r), written so that it keeps its digits where x
/// and the reference r are close.
namespace fovea::simd {
namespace {

/// Below, a function in straight pieces passes its slope at x: there is nothing to divide by.
constexpr float kNoStep = 1e-10f;
/// Below, a smooth function passes its slope half-way: its difference would be rounding.
constexpr float kSmallStep = 1e-2f;

/// f(x, r) element by element, times diff.
template <class Function>
void each_rescaled(const float* diff, const float* x, const float* r, float* dst, i64 n,
                   Function f) {
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes)
    store_all(dst + i, F(load_all<F>(diff + i) * F(f(load_all<F>(x + i), load_all<F>(r + i)))));
  if (i < n)
    store_part(dst + i,
               F(load_part<F>(diff + i, n - i) *
                 F(f(load_part<F>(x + i, n - i), load_part<F>(r + i, n - i)))),
               n - i);
}

/// `slope` at x where there is no step; elsewhere rise(x, r) over the step.
template <class Rise, class Slope>
auto in_pieces(Rise rise, Slope slope) {
  return [=](F x, F r) {
    const F step = x - r;
    return F(xsimd::select(xsimd::abs(step) < F(kNoStep), F(slope(x)), F(rise(x, r)) / step));
  };
}

/// `small(step, x, r)` says where the slope half-way is the better answer.
template <class Small, class Function, class Slope>
auto smooth_where(Small small, Function f, Slope slope) {
  return [=](F x, F r) {
    const F step = x - r;
    const auto near = small(step, x, r);
    const F far = (F(f(x)) - F(f(r))) / step;
    if (!xsimd::any(near)) return far;
    return F(xsimd::select(near, F(slope(F(0.5f) * (x + r))), far));
  };
}

template <class Function, class Slope>
auto smooth(Function f, Slope slope) {
  return smooth_where([](F step, F, F) { return xsimd::abs(step) < F(kSmallStep); }, f, slope);
}

/// Smooth on either side of a kink at 0.
template <class Function, class Slope>
auto smooth_sides(Function f, Slope slope) {
  return smooth_where(
      [](F step, F x, F r) {
        const F zero(0.f);
        const auto one_side = ((x > zero) & (r > zero)) | ((x <= zero) & (r <= zero));
        return one_side & (xsimd::abs(step) < F(kSmallStep));
      },
      f, slope);
}

void unary_rescale(Unary kind, float a, float b, const float* diff, const float* src,
                   const float* ref, float* dst, i64 n) {
  const F va(a), vb(b), zero(0.f), one(1.f), three(3.f);
  const auto run = [=](auto f) { each_rescaled(diff, src, ref, dst, n, f); };
  const auto bounded = [](F lo, F hi) {
    return in_pieces([=](F x, F r) { return math::clip(x, lo, hi) - math::clip(r, lo, hi); },
                     [=](F x) { return xsimd::select((x > lo) & (x < hi), F(1.f), F(0.f)); });
  };
  switch (kind) {
    case Unary::relu:
      return run(in_pieces([](F x, F r) { return math::relu(x) - math::relu(r); },
                           [=](F x) { return xsimd::select(x > zero, one, zero); }));
    case Unary::leaky_relu:
      return run(in_pieces(
          [=](F x, F r) {
            const F up = math::relu(x) - math::relu(r);
            return fused(va, F(x - r - up), up);
          },
          [=](F x) { return xsimd::select(x > zero, one, va); }));
    case Unary::clip:
      return run(bounded(va, vb));
    case Unary::hard_sigmoid: {
      const auto inside = bounded(-vb / va, (one - vb) / va);
      return run([=](F x, F r) { return va * inside(x, r); });
    }
    case Unary::hard_swish:
      // A parabola between -3 and 3, and what lies above 3.
      return run(in_pieces(
          [=](F x, F r) {
            const F u = math::clip(x, -three, three), v = math::clip(r, -three, three);
            return (u - v) * fused(u + v, F(1.f / 6.f), F(0.5f)) + math::relu(F(x - three)) -
                   math::relu(F(r - three));
          },
          [=](F x) {
            return xsimd::select(x <= -three, zero,
                                 xsimd::select(x < three, fused(x, F(1.f / 3.f), F(0.5f)), one));
          }));
    case Unary::sigmoid:
      return run(
          smooth([](F x) { return math::sigmoid(x); }, [](F x) { return math::sigmoid_slope(x); }));
    case Unary::tanh:
      return run(
          smooth([](F x) { return math::tanh(x); }, [](F x) { return math::tanh_slope(x); }));
    case Unary::silu:
      return run(smooth([=](F x) { return math::swish(x, one); },
                        [=](F x) { return math::swish_slope(x, one); }));
    case Unary::swish:
      return run(smooth([=](F x) { return math::swish(x, va); },
                        [=](F x) { return math::swish_slope(x, va); }));
    case Unary::elu:
      return run(smooth_sides([=](F x) { return math::elu(x, va); },
                              [=](F x) { return math::elu_slope(x, va); }));
    case Unary::selu:
      return run(smooth_sides([=](F x) { return vb * math::elu(x, va); },
                              [=](F x) { return vb * math::elu_slope(x, va); }));
    case Unary::celu:
      return run(
          smooth_sides([=](F x) { return xsimd::select(x > zero, x, va * xsimd::expm1(x / va)); },
                       [=](F x) { return xsimd::select(x > zero, one, xsimd::exp(x / va)); }));
    case Unary::exp:
      return run(smooth([](F x) { return xsimd::exp(x); }, [](F x) { return xsimd::exp(x); }));
    case Unary::log:
      return run(smooth_where(
          [](F step, F x, F) { return xsimd::abs(step) < F(kSmallStep) * xsimd::abs(x); },
          [](F x) { return xsimd::log(x); }, [=](F x) { return one / x; }));
    case Unary::sqrt:
      return run([=](F x, F r) { return one / (xsimd::sqrt(x) + xsimd::sqrt(r)); });
    case Unary::reciprocal:
      return run([=](F x, F r) { return -one / (x * r); });
    case Unary::abs:
      return run(in_pieces(
          [](F x, F r) { return xsimd::abs(x) - xsimd::abs(r); },
          [=](F x) { return xsimd::select(x > zero, one, xsimd::select(x < zero, -one, zero)); }));
    case Unary::neg:
      return run([=](F x, F r) { return math::nan_or(F(x + r), F(-one)); });
    case Unary::erf:
      return run(smooth([](F x) { return xsimd::erf(x); },
                        [](F x) { return F(math::kTwoOverSqrtPi) * xsimd::exp(-x * x); }));
    case Unary::gelu_erf:
      return run(smooth([](F x) { return math::gelu_erf(x); },
                        [](F x) { return math::gelu_erf_slope(x); }));
    case Unary::gelu_tanh:
      return run(smooth([](F x) { return math::gelu_tanh(x); },
                        [](F x) { return math::gelu_tanh_slope(x); }));
    case Unary::softplus:
      return run(
          smooth([](F x) { return math::softplus(x); }, [](F x) { return math::sigmoid(x); }));
    case Unary::softsign:
      return run(smooth_sides([](F x) { return math::softsign(x); },
                              [](F x) { return math::softsign_slope(x); }));
    case Unary::mish:
      return run(
          smooth([](F x) { return math::mish(x); }, [](F x) { return math::mish_slope(x); }));
    case Unary::floor:
      return run(in_pieces([](F x, F r) { return xsimd::floor(x) - xsimd::floor(r); },
                           [=](F x) { return math::nan_or(x, zero); }));
    case Unary::ceil:
      return run(in_pieces([](F x, F r) { return xsimd::ceil(x) - xsimd::ceil(r); },
                           [=](F x) { return math::nan_or(x, zero); }));
    // By sin x - sin r = 2 cos((x + r) / 2) sin((x - r) / 2), and so for cos.
    case Unary::sin:
    case Unary::cos:
      for (i64 i = 0; i < n; ++i) {
        const float middle = 0.5f * (src[i] + ref[i]), half = 0.5f * (src[i] - ref[i]);
        const float share = half == 0.f ? 1.f : ::sinf(half) / half;
        dst[i] = diff[i] * share * (kind == Unary::sin ? ::cosf(middle) : -::sinf(middle));
      }
      return;
  }
}

/// The largest tap of a window, the first of equal ones or of NaNs.
template <class V>
struct Largest {
  V value = V(0.f), other = V(0.f), tap = V(0.f);
  void see(V v, V beside, V at) {
    if constexpr (std::is_same_v<V, float>) {
      if (!(at == 0.f || (!(v <= value) && value == value))) return;
      value = v;
      other = beside;
      tap = at;
    } else {
      const auto take = (at == V(0.f)) | ((!(v <= value)) & (value == value));
      value = xsimd::select(take, v, value);
      other = xsimd::select(take, beside, other);
      tap = xsimd::select(take, at, tap);
    }
  }
};

template <class V>
void max_rescale_lanes(const float* diff, const float* src, const float* ref, const PoolWindow& w,
                       i64 stride, i64 lanes, float* dst) {
  each_window<V>(w, stride, lanes, dst, [&](i64 output, PoolTaps z, PoolTaps y, PoolTaps x) {
    Largest<V> own, reference;
    V tap(0.f);
    each_tap(w, z, y, x, [&](i64 at) {
      const V a = load_lanes<V>(src + at * stride, lanes);
      const V b = load_lanes<V>(ref + at * stride, lanes);
      own.see(a, b, tap);
      reference.see(b, a, tap);
      tap += V(1.f);
    });
    const V rise = own.value - reference.value;
    const auto falls = rise < V(0.f);
    const V chosen = choose<V>(falls, reference.tap, own.tap);
    const V step = choose<V>(falls, V(reference.other - reference.value), V(own.value - own.other));
    const V d = load_lanes<V>(diff + output * stride, lanes) *
                choose<V>(step == V(0.f), V(1.f), V(rise / step));
    tap = V(0.f);
    each_tap(w, z, y, x, [&](i64 at) {
      float* sum = dst + at * stride;
      store_lanes(sum, V(load_lanes<V>(sum, lanes) + choose<V>(chosen == tap, d, V(0.f))), lanes);
      tap += V(1.f);
    });
  });
}

void max_pool_rescale(const float* diff, const float* src, const float* ref, MapLayout layout,
                      const PoolWindow* window, i64 c_begin, i64 c_end, float* dst) {
  each_lanes(layout, positions_of(window->dst), c_begin, c_end, dst,
             [&](auto tag, i64 at, i64 output, i64 lanes) {
               using V = typename decltype(tag)::type;
               max_rescale_lanes<V>(diff + output, src + at, ref + at, *window, layout.block, lanes,
                                    dst + at);
             });
}

}  // namespace
}  // namespace fovea::simd
