#include "engine/ops/recurrent_direction.hpp"

#include <cmath>
#include <optional>

#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

using graph::CellActivation;
using graph::CellFunction;

std::optional<SimdUnary> simd_of(const CellActivation& f) {
  switch (f.function) {
    case CellFunction::sigmoid:
      return SimdUnary{simd::Unary::sigmoid};
    case CellFunction::tanh:
      return SimdUnary{simd::Unary::tanh};
    case CellFunction::relu:
      return SimdUnary{simd::Unary::relu};
    case CellFunction::leaky_relu:
      return SimdUnary{simd::Unary::leaky_relu, f.alpha};
    case CellFunction::hard_sigmoid:
      return SimdUnary{simd::Unary::hard_sigmoid, f.alpha, f.beta};
    case CellFunction::elu:
      return SimdUnary{simd::Unary::elu, f.alpha};
    case CellFunction::softsign:
      return SimdUnary{simd::Unary::softsign};
    case CellFunction::softplus:
      return SimdUnary{simd::Unary::softplus};
    case CellFunction::affine:
    case CellFunction::thresholded_relu:
    case CellFunction::scaled_tanh:
      break;
  }
  return std::nullopt;
}

/// Of the functions that SIMD lacks.
float value_at(const CellActivation& f, float x) {
  if (f.function == CellFunction::affine) return f.alpha * x + f.beta;
  if (f.function == CellFunction::scaled_tanh) return f.alpha * std::tanh(f.beta * x);
  return x > f.alpha ? x : 0;
}
float slope_at(const CellActivation& f, float x) {
  if (f.function == CellFunction::affine) return f.alpha;
  if (f.function == CellFunction::scaled_tanh) {
    const float t = std::tanh(f.beta * x);
    return f.alpha * f.beta * (1 - t * t);
  }
  return x > f.alpha ? 1.f : 0.f;
}

}  // namespace

void multiply(const float* matrix, std::int64_t rows, std::int64_t columns, const float* src,
              std::int64_t vectors, float* dst, std::int64_t stride) {
  constexpr std::int64_t kAtOnce = 4;
  base::parallel_for(rows, std::max<std::int64_t>(1, kProductGrain / columns),
                     [&](std::int64_t begin, std::int64_t end) {
                       for (std::int64_t v = 0; v < vectors; v += kAtOnce)
                         simd::kernels().matrix_vector(matrix, columns, src + v * columns,
                                                       std::min(kAtOnce, vectors - v), begin, end,
                                                       dst + v * stride, stride);
                     });
}

void multiply_transposed(const float* matrix, std::int64_t rows, std::int64_t columns,
                         const float* src, float* dst) {
  base::parallel_for(columns, std::max<std::int64_t>(1, kProductGrain / rows),
                     [&](std::int64_t begin, std::int64_t end) {
                       simd::kernels().vector_matrix(matrix, rows, columns, src, 1, begin, end, dst,
                                                     columns);
                     });
}

float Direction::clipped(float x) const {
  return x > *run_.op.clip ? *run_.op.clip : x < -*run_.op.clip ? -*run_.op.clip : x;
}

void Direction::activate(std::size_t i, const float* from, float* to) const {
  const auto& f = function(i);
  if (clips(i)) {
    std::transform(from, from + h_, to, [&](float x) { return clipped(x); });
    from = to;
  }
  if (const auto simd = simd_of(f))
    simd::kernels().unary(simd->kind, simd->a, simd->b, from, to, h_);
  else
    std::transform(from, from + h_, to, [&](float x) { return value_at(f, x); });
}
void Direction::slope(std::size_t i, const float* diff, const float* from, float* to) const {
  const auto& f = function(i);
  const float* at = from;
  if (clips(i)) {
    std::transform(from, from + h_, to, [&](float x) { return clipped(x); });
    at = to;
  }
  if (const auto simd = simd_of(f))
    simd::kernels().unary_backward(simd->kind, simd->a, simd->b, diff, at, to, h_);
  else
    std::transform(at, at + h_, diff, to, [&](float x, float d) { return d * slope_at(f, x); });
  if (!clips(i)) return;
  for (std::int64_t k = 0; k < h_; ++k)
    if (std::abs(from[k]) >= *run_.op.clip) to[k] = 0;
}

void Direction::open_lstm(std::int64_t step, std::int64_t image, float* gate) const {
  const float* pre = before(step, image);
  activate(0, pre, gate);
  if (run_.op.input_forget)
    std::transform(gate, gate + h_, gate + 2 * h_, [](float i) { return 1 - i; });
  else
    activate(0, pre + 2 * h_, gate + 2 * h_);
  activate(1, pre + 3 * h_, gate + 3 * h_);
}

}  // namespace fovea::engine
