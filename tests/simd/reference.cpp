#include "simd/reference.hpp"

#include <algorithm>
#include <cmath>

namespace fovea::simd::reference {

i64 offset(MapLayout layout, i64 c, i64 p) {
  return (c / layout.block * layout.positions + p) * layout.block + c % layout.block;
}

double channel_mean(const float* src, MapLayout layout, i64 c) {
  double sum = 0;
  for (i64 p = 0; p < layout.positions; ++p) sum += src[offset(layout, c, p)];
  return sum / static_cast<double>(layout.positions);
}

double weighted_channel_sum(const float* src, MapLayout layout, const float* weights, i64 p,
                            double* magnitude) {
  double sum = 0;
  *magnitude = 0;
  for (i64 c = 0; c < layout.channels; ++c) {
    const double term = static_cast<double>(src[offset(layout, c, p)]) * weights[c];
    sum += term;
    *magnitude += std::abs(term);
  }
  return sum;
}

double channel_dot(const float* a, const float* b, MapLayout layout, i64 p, double* magnitude) {
  double sum = 0;
  *magnitude = 0;
  for (i64 c = 0; c < layout.channels; ++c) {
    const i64 at = offset(layout, c, p);
    const double term = static_cast<double>(a[at]) * b[at];
    sum += term;
    *magnitude += std::abs(term);
  }
  return sum;
}

namespace {

/// visit(channel, output, positions of its window's elements) for every window.
template <class Visit>
void each_window(MapLayout layout, const PoolWindow& w, Visit visit) {
  i64 output = 0;
  for (i64 z = 0; z < w.dst[0]; ++z)
    for (i64 y = 0; y < w.dst[1]; ++y)
      for (i64 x = 0; x < w.dst[2]; ++x, ++output) {
        const i64 at[3] = {z, y, x};
        std::vector<i64> elements;
        for (i64 tap = 0; tap < w.kernel[0] * w.kernel[1] * w.kernel[2]; ++tap) {
          const i64 taps[3] = {tap / w.kernel[2] / w.kernel[1], tap / w.kernel[2] % w.kernel[1],
                               tap % w.kernel[2]};
          i64 position = 0;
          bool inside = true;
          for (int i = 0; i < 3; ++i) {
            const i64 s = at[i] * w.stride[i] - w.pad[i] + taps[i] * w.dilation[i];
            inside = inside && s >= 0 && s < w.src[i];
            position = position * w.src[i] + s;
          }
          if (inside) elements.push_back(position);
        }
        for (i64 c = 0; c < layout.channels; ++c) visit(c, output, elements);
      }
}

std::vector<double> zeros(MapLayout layout) {
  return std::vector<double>(static_cast<std::size_t>(padded_channels(layout) * layout.positions));
}

MapLayout outputs_of(MapLayout layout, const PoolWindow& w) {
  return {layout.channels, w.dst[0] * w.dst[1] * w.dst[2], layout.block};
}

}  // namespace

std::vector<double> max_pool_backward(const float* diff, const float* src, MapLayout layout,
                                      const PoolWindow& w) {
  std::vector<double> out = zeros(layout);
  each_window(layout, w, [&](i64 c, i64 output, const std::vector<i64>& elements) {
    if (elements.empty()) return;
    i64 best = elements.front();
    for (const i64 p : elements) {
      const float value = src[offset(layout, c, p)], most = src[offset(layout, c, best)];
      if (std::isnan(most)) break;
      if (std::isnan(value) || value > most) best = p;
    }
    out[static_cast<std::size_t>(offset(layout, c, best))] +=
        diff[offset(outputs_of(layout, w), c, output)];
  });
  return out;
}

std::vector<double> average_pool_backward(const float* diff, MapLayout layout, const PoolWindow& w,
                                          const float* divisors) {
  std::vector<double> out = zeros(layout);
  each_window(layout, w, [&](i64 c, i64 output, const std::vector<i64>& elements) {
    for (const i64 p : elements)
      out[static_cast<std::size_t>(offset(layout, c, p))] +=
          static_cast<double>(diff[offset(outputs_of(layout, w), c, output)]) / divisors[output];
  });
  return out;
}

double matrix_vector(const float* matrix, i64 columns, const float* src, i64 r, double* magnitude) {
  double sum = 0;
  *magnitude = 0;
  for (i64 c = 0; c < columns; ++c) {
    const double term = static_cast<double>(matrix[r * columns + c]) * src[c];
    sum += term;
    *magnitude += std::abs(term);
  }
  return sum;
}

double vector_matrix(const float* matrix, i64 rows, i64 columns, const float* src, i64 c,
                     double* magnitude) {
  double sum = 0;
  *magnitude = 0;
  for (i64 r = 0; r < rows; ++r) {
    const double term = static_cast<double>(matrix[r * columns + c]) * src[r];
    sum += term;
    *magnitude += std::abs(term);
  }
  return sum;
}

LstmGradients lstm_backward(const LstmStep& step, i64 i, double dh, double dc) {
  const auto at = [&](const float* p, i64 row) {
    return static_cast<double>(p[row * step.cells + i]);
  };
  const auto peephole = [&](i64 gate) { return step.peepholes ? at(step.peepholes, gate) : 0; };
  const double input = at(step.gates, 0), output = at(step.gates, 1), forget = at(step.gates, 2);
  const double candidate = at(step.gates, 3), shown = at(step.gates, 4), c = at(step.before, 0);
  // h = output * shown(new c), new c = forget * c + input * candidate.
  const double d_output = dh * shown * at(step.slopes, 1);
  const double d_new = dc + dh * output * at(step.slopes, 4) + peephole(1) * d_output;
  double d_input = d_new * candidate, d_forget = d_new * c;
  if (step.input_forget) {
    d_input -= d_forget;
    d_forget = 0;
  }
  d_input *= at(step.slopes, 0);
  d_forget *= at(step.slopes, 2);
  return {{d_input, d_output, d_forget, d_new * input * at(step.slopes, 3)},
          d_new * forget + peephole(0) * d_input + peephole(2) * d_forget};
}

double binary(Binary kind, double a, double b) {
  switch (kind) {
    case Binary::add:
      return a + b;
    case Binary::sub:
      return a - b;
    case Binary::mul:
      return a * b;
    case Binary::div:
      return a / b;
    case Binary::max:
      return std::isnan(a) ? a : std::isnan(b) ? b : std::max(a, b);
    case Binary::min:
      return std::isnan(a) ? a : std::isnan(b) ? b : std::min(a, b);
    case Binary::add_relu:
      return a + b < 0 ? 0 : a + b;
  }
  return 0;
}

long double unary(Unary kind, long double a, long double b, long double x) {
  const auto sigmoid = [](long double v) { return 1 / (1 + std::exp(-v)); };
  const auto clip = [](long double v, long double lo, long double hi) {
    return std::isnan(v) ? v : std::min(std::max(v, lo), hi);
  };
  const auto softplus = [](long double v) {
    return std::max(v, 0.0L) + std::log1p(std::exp(-std::abs(v)));
  };
  switch (kind) {
    case Unary::relu:
      return x < 0 ? 0 : x;
    case Unary::leaky_relu:
      return x > 0 ? x : a * x;
    case Unary::clip:
      return clip(x, a, b);
    case Unary::sigmoid:
      return sigmoid(x);
    case Unary::tanh:
      return std::tanh(x);
    case Unary::silu:
      return x * sigmoid(x);
    case Unary::swish:
      return x * sigmoid(a * x);
    case Unary::hard_sigmoid:
      return clip(a * x + b, 0, 1);
    case Unary::hard_swish:
      return x * clip(x / 6 + 0.5L, 0, 1);
    case Unary::elu:
      return x > 0 ? x : a * std::expm1(x);
    case Unary::selu:
      return b * (x > 0 ? x : a * std::expm1(x));
    case Unary::celu:
      return x > 0 ? x : a * std::expm1(x / a);
    case Unary::exp:
      return std::exp(x);
    case Unary::log:
      return std::log(x);
    case Unary::sqrt:
      return std::sqrt(x);
    case Unary::reciprocal:
      return 1 / x;
    case Unary::abs:
      return std::abs(x);
    case Unary::neg:
      return -x;
    case Unary::erf:
      return std::erf(x);
    case Unary::gelu_erf:
      return x * std::erfc(-x * std::sqrt(0.5L)) / 2;
    case Unary::gelu_tanh:  // (1 + tanh(u)) / 2 = sigmoid(2 u)
      return x * sigmoid(2 * std::sqrt(2 / 3.14159265358979323846L) * (x + 0.044715L * x * x * x));
    case Unary::softplus:
      return softplus(x);
    case Unary::softsign:
      return x / (1 + std::abs(x));
    case Unary::mish:
      return x * std::tanh(softplus(x));
    case Unary::floor:
      return std::floor(x);
    case Unary::ceil:
      return std::ceil(x);
    case Unary::sin:
      return std::sin(x);
    case Unary::cos:
      return std::cos(x);
  }
  return 0;
}

long double slope(Unary kind, long double a, long double b, long double x) {
  const long double h = 1e-6L * (std::abs(x) + 1e-3L);
  return (unary(kind, a, b, x + h) - unary(kind, a, b, x - h)) / (2 * h);
}

std::vector<double> resize_bilinear(const float* src, i64 sh, i64 sw, i64 dh, i64 dw) {
  const auto source = [](i64 i, i64 from, i64 to) {
    const double centre =
        (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5;
    return std::clamp(centre, 0.0, static_cast<double>(from - 1));
  };
  std::vector<double> out;
  for (i64 y = 0; y < dh; ++y) {
    const double sy = source(y, sh, dh);
    const i64 y0 = static_cast<i64>(sy);
    const i64 y1 = std::min(y0 + 1, sh - 1);
    const double fy = sy - static_cast<double>(y0);
    for (i64 x = 0; x < dw; ++x) {
      const double sx = source(x, sw, dw);
      const i64 x0 = static_cast<i64>(sx);
      const i64 x1 = std::min(x0 + 1, sw - 1);
      const double fx = sx - static_cast<double>(x0);
      const auto at = [&](i64 row, i64 column) {
        return static_cast<double>(src[row * sw + column]);
      };
      out.push_back((1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x1)) +
                    fy * ((1 - fx) * at(y1, x0) + fx * at(y1, x1)));
    }
  }
  return out;
}

u8 pillow_output(const u8* line, i64 step, const PillowAxis& axis, i64 output) {
  double sum = 0;
  for (i64 k = 0; k < axis.count[output]; ++k)
    sum += static_cast<double>(line[(axis.first[output] + k) * step]) *
           axis.coeffs[output * axis.stride + k];
  return static_cast<u8>(std::clamp(std::floor(sum / (1 << 22) + 0.5), 0.0, 255.0));
}

int colour_index(float value) {
  if (std::isnan(value)) return 0;
  const float scaled = 255.f * value;
  return static_cast<int>(std::clamp(std::trunc(scaled), 0.f, 255.f));
}

double blend(u8 photo, u8 heat, double alpha) {
  return (1 - alpha) * photo + alpha * heat;
}

u8 grey(const u8* rgb) {
  return static_cast<u8>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 0x8000) >> 16);
}

}  // namespace fovea::simd::reference
