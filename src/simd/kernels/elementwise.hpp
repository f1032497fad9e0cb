#pragma once

#include <math.h>

#include "simd/kernels/arch.hpp"
#include "simd/kernels/math.hpp"

/// Loops over contiguous values. The last values, fewer than a register, go through the same
/// arithmetic as the others, so a value's result does not depend on its place.
namespace fovea::simd {
namespace {

template <class Function>
void each(const float* src, float* dst, i64 n, Function f) {
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes) store_all(dst + i, F(f(load_all<F>(src + i))));
  if (i < n) store_part(dst + i, F(f(load_part<F>(src + i, n - i))), n - i);
}

template <class Function>
void each(const float* a, const float* b, float* dst, i64 n, Function f) {
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes)
    store_all(dst + i, F(f(load_all<F>(a + i), load_all<F>(b + i))));
  if (i < n)
    store_part(dst + i, F(f(load_part<F>(a + i, n - i), load_part<F>(b + i, n - i))), n - i);
}

/// Calls run(f) with the function of the kind.
template <class Run>
void with_binary(Binary kind, Run run) {
  switch (kind) {
    case Binary::add:
      return run([](F a, F b) { return a + b; });
    case Binary::sub:
      return run([](F a, F b) { return a - b; });
    case Binary::mul:
      return run([](F a, F b) { return a * b; });
    case Binary::div:
      return run([](F a, F b) { return a / b; });
    case Binary::max:
      return run([](F a, F b) { return math::nan_or(a, F(xsimd::select(a > b, a, b))); });
    case Binary::min:
      return run([](F a, F b) { return math::nan_or(a, F(xsimd::select(a < b, a, b))); });
    case Binary::add_relu:
      return run([](F a, F b) { return math::relu(F(a + b)); });
  }
}

void binary(Binary kind, const float* a, const float* b, float* dst, i64 n) {
  with_binary(kind, [=](auto f) { each(a, b, dst, n, f); });
}

void binary_scalar(Binary kind, const float* a, float b, float* dst, i64 n) {
  const F all(b);
  with_binary(kind, [=](auto f) { each(a, dst, n, [=](F x) { return f(x, all); }); });
}

void scalar_binary(Binary kind, float a, const float* b, float* dst, i64 n) {
  const F all(a);
  with_binary(kind, [=](auto f) { each(b, dst, n, [=](F x) { return f(all, x); }); });
}

void axpy(float alpha, const float* src, float* dst, i64 n) {
  const F all(alpha);
  each(src, dst, dst, n, [=](F x, F y) { return fused(all, x, y); });
}

void unary(Unary kind, float a, float b, const float* src, float* dst, i64 n) {
  const F va(a), vb(b), zero(0.f), one(1.f);
  const auto run = [=](auto f) { each(src, dst, n, f); };
  switch (kind) {
    case Unary::relu:
      return run([](F x) { return math::relu(x); });
    case Unary::leaky_relu:
      return run([=](F x) { return xsimd::select(x > zero, x, va * x); });
    case Unary::clip:
      return run([=](F x) { return math::clip(x, va, vb); });
    case Unary::sigmoid:
      return run([](F x) { return math::sigmoid(x); });
    case Unary::tanh:
      return run([](F x) { return math::tanh(x); });
    case Unary::silu:
      return run([=](F x) { return math::swish(x, one); });
    case Unary::swish:
      return run([=](F x) { return math::swish(x, va); });
    case Unary::hard_sigmoid:
      return run([=](F x) { return math::clip(fused(va, x, vb), zero, one); });
    case Unary::hard_swish:
      return run([=](F x) { return x * math::clip(fused(x, F(1.f / 6.f), F(0.5f)), zero, one); });
    case Unary::elu:
      return run([=](F x) { return math::elu(x, va); });
    case Unary::selu:
      return run([=](F x) { return vb * math::elu(x, va); });
    case Unary::celu:
      return run([=](F x) { return xsimd::select(x > zero, x, va * xsimd::expm1(x / va)); });
    case Unary::exp:
      return run([](F x) { return xsimd::exp(x); });
    case Unary::log:
      return run([](F x) { return xsimd::log(x); });
    case Unary::sqrt:
      return run([](F x) { return xsimd::sqrt(x); });
    case Unary::reciprocal:
      return run([=](F x) { return one / x; });
    case Unary::abs:
      return run([](F x) { return xsimd::abs(x); });
    case Unary::neg:
      return run([](F x) { return -x; });
    case Unary::erf:
      return run([](F x) { return xsimd::erf(x); });
    case Unary::gelu_erf:
      return run([](F x) { return math::gelu_erf(x); });
    case Unary::gelu_tanh:
      return run([](F x) { return math::gelu_tanh(x); });
    case Unary::softplus:
      return run([](F x) { return math::softplus(x); });
    case Unary::softsign:
      return run([](F x) { return math::softsign(x); });
    case Unary::mish:
      return run([](F x) { return math::mish(x); });
    case Unary::floor:
      return run([](F x) { return xsimd::floor(x); });
    case Unary::ceil:
      return run([](F x) { return xsimd::ceil(x); });
    // xsimd picks the argument reduction of a batch by its largest value, so a value's result would
    // depend on its neighbours.
    case Unary::sin:
      for (i64 i = 0; i < n; ++i) dst[i] = ::sinf(src[i]);
      return;
    case Unary::cos:
      for (i64 i = 0; i < n; ++i) dst[i] = ::cosf(src[i]);
      return;
  }
}

}  // namespace
}  // namespace fovea::simd
