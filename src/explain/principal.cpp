#include "explain/principal.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/plan.hpp"

namespace fovea::explain {
namespace {

using Vector = std::vector<double>;

constexpr std::size_t kMostSteps = 96;  // of Lanczos' recurrence

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void add(Vector& to, double factor, const Vector& v) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * v[i];
}

Vector times(std::span<const float> matrix, const Vector& v) {
  Vector out(v.size());
  for (std::size_t i = 0; i < v.size(); ++i)
    out[i] = std::inner_product(v.begin(), v.end(),
                                matrix.begin() + static_cast<std::ptrdiff_t>(i * v.size()), 0.0);
  return out;
}

/// Jacobi's method (Golub and Van Loan, section 8.5) for a small symmetric matrix.
Eigenpair dense_eigenpair(Vector a, std::size_t n) {
  Vector vectors(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) vectors[i * n + i] = 1;
  constexpr int kSweeps = 30;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double off = 0, all = 0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) (i == j ? all : off) += a[i * n + j] * a[i * n + j];
    if (off <= 1e-28 * all) break;
    for (std::size_t p = 0; p + 1 < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) {
        const double apq = a[p * n + q];
        if (apq == 0) continue;
        const double theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
        const double t = std::copysign(1.0, theta) / (std::abs(theta) + std::hypot(theta, 1.0));
        const double c = 1 / std::hypot(t, 1.0), s = t * c;
        const auto rotate = [&](double& x, double& y) {
          const double old = x;
          x = c * old - s * y;
          y = s * old + c * y;
        };
        for (std::size_t k = 0; k < n; ++k) rotate(a[k * n + p], a[k * n + q]);
        for (std::size_t k = 0; k < n; ++k) rotate(a[p * n + k], a[q * n + k]);
        for (std::size_t k = 0; k < n; ++k) rotate(vectors[k * n + p], vectors[k * n + q]);
      }
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < n; ++i)
    if (a[i * n + i] > a[best * n + best]) best = i;
  Eigenpair out{a[best * n + best], Vector(n)};
  for (std::size_t k = 0; k < n; ++k) out.vector[k] = vectors[k * n + best];
  return out;
}

/// Of the tridiagonal matrix that Lanczos' recurrence has made.
Eigenpair of_tridiagonal(const Vector& diagonal, const Vector& beside) {
  const auto m = diagonal.size();
  Vector t(m * m, 0.0);
  for (std::size_t i = 0; i < m; ++i) {
    t[i * m + i] = diagonal[i];
    if (i + 1 < m) t[i * m + i + 1] = t[(i + 1) * m + i] = beside[i];
  }
  return dense_eigenpair(std::move(t), m);
}

/// The channels' means over positions taken off.
std::vector<float> centred(const Tensor& x, std::size_t channels, std::size_t positions) {
  std::vector<float> out = x.data;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto row = std::span(out).subspan(c * positions, positions);
    const double mean =
        std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(positions);
    for (auto& v : row) v = static_cast<float>(v - mean);
  }
  return out;
}

std::vector<float> transposed(const std::vector<float>& x, std::size_t rows, std::size_t columns) {
  std::vector<float> out(x.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) out[c * rows + r] = x[r * columns + c];
  return out;
}

/// a a^T of a [rows, columns].
std::vector<float> gram(const std::vector<float>& a, const std::vector<float>& a_transposed,
                        std::size_t rows, std::size_t columns) {
  std::vector<float> out(rows * rows);
  const auto r = static_cast<std::int64_t>(rows), c = static_cast<std::int64_t>(columns);
  engine::multiply_matrices(1, a.data(), a_transposed.data(), out.data(), r, c, r);
  return out;
}

/// Of largest_eigenpair.
base::Size eigenpair_bytes(base::Size n) {
  constexpr base::Size kDouble = sizeof(double), kWork = 6, kSmall = 3;
  const base::Size most = static_cast<std::int64_t>(kMostSteps);
  const base::Size steps = std::min(n, most);
  return n * (steps + kWork) * kDouble + steps * steps * kSmall * kDouble;
}

void make_largest_positive(std::vector<float>& map) {
  const auto largest = std::max_element(map.begin(), map.end(),
                                        [](float a, float b) { return std::abs(a) < std::abs(b); });
  if (largest != map.end() && *largest < 0)
    for (auto& v : map) v = -v;
}

}  // namespace

Eigenpair largest_eigenpair(std::span<const float> matrix, std::int64_t n) {
  const auto size = static_cast<std::size_t>(n);
  constexpr std::size_t kCheck = 8;
  constexpr double kConverged = 1e-9;
  std::vector<Vector> basis;
  Vector diagonal, beside;
  Vector v(size);
  // No vector that a network could be orthogonal to.
  for (std::size_t i = 0; i < size; ++i) v[i] = 1 + 0.5 * std::sin(static_cast<double>(i * i + 1));
  double length = std::sqrt(dot(v, v));
  Eigenpair found{0, Vector(size, 0.0)};
  for (;;) {
    for (auto& e : v) e /= length;
    basis.push_back(v);
    Vector next = times(matrix, v);
    diagonal.push_back(dot(next, v));
    // Twice: once is not enough for vectors that have lost their orthogonality.
    for (int pass = 0; pass < 2; ++pass)
      for (const auto& b : basis) add(next, -dot(next, b), b);
    length = std::sqrt(dot(next, next));
    beside.push_back(length);
    const bool last =
        basis.size() == std::min(size, kMostSteps) || length <= 1e-12 * std::abs(diagonal[0]);
    if (last || basis.size() % kCheck == 0) {
      const auto small = of_tridiagonal(diagonal, beside);
      if (last || length * std::abs(small.vector.back()) <= kConverged * std::abs(small.value)) {
        found.value = small.value;
        for (std::size_t i = 0; i < basis.size(); ++i) add(found.vector, small.vector[i], basis[i]);
        break;
      }
    }
    v = std::move(next);
  }
  if (!(found.value > 0)) return {0, Vector(size, 0.0)};
  return found;
}

Tensor first_component(const Tensor& x) {
  const auto channels = static_cast<std::size_t>(x.shape[0]);
  const auto positions = x.data.size() / channels;
  Tensor map{{x.shape.begin() + 1, x.shape.end()}, std::vector<float>(positions)};
  const auto rows = centred(x, channels, positions);
  const auto columns = transposed(rows, channels, positions);
  if (positions <= channels) {
    const auto top = largest_eigenpair(gram(columns, rows, positions, channels),
                                       static_cast<std::int64_t>(positions));
    for (std::size_t p = 0; p < positions; ++p)
      map.data[p] = static_cast<float>(std::sqrt(top.value) * top.vector[p]);
  } else {
    const auto top = largest_eigenpair(gram(rows, columns, channels, positions),
                                       static_cast<std::int64_t>(channels));
    for (std::size_t p = 0; p < positions; ++p) {
      double sum = 0;
      for (std::size_t c = 0; c < channels; ++c) sum += top.vector[c] * columns[p * channels + c];
      map.data[p] = static_cast<float>(sum);
    }
  }
  double agreement = 0;
  for (std::size_t p = 0; p < positions; ++p) {
    double total = 0;
    for (std::size_t c = 0; c < channels; ++c) total += x.data[c * positions + p];
    agreement += total * map.data[p];
  }
  if (agreement < 0)
    for (auto& v : map.data) v = -v;
  if (agreement == 0) make_largest_positive(map.data);
  return map;
}

Tensor first_kernel_component(const Tensor& x, double gamma) {
  const auto channels = static_cast<std::size_t>(x.shape[0]);
  const auto positions = x.data.size() / channels;
  const auto rows = centred(x, channels, positions);
  auto kernel = gram(transposed(rows, channels, positions), rows, positions, channels);
  if (gamma == 0) gamma = 1 / static_cast<double>(channels);
  const auto at = [&](std::size_t i) { return std::tanh(gamma * kernel[i] + 1); };
  // Centred in the space that the kernel stands for, and in the memory of the products: there may
  // be gigabytes of them.
  Vector means(positions, 0.0);
  for (std::size_t i = 0; i < kernel.size(); ++i)
    means[i / positions] += at(i) / static_cast<double>(positions);
  const double mean =
      std::accumulate(means.begin(), means.end(), 0.0) / static_cast<double>(positions);
  for (std::size_t i = 0; i < kernel.size(); ++i)
    kernel[i] = static_cast<float>(at(i) - means[i / positions] - means[i % positions] + mean);
  const auto top = largest_eigenpair(kernel, static_cast<std::int64_t>(positions));
  Tensor map{{x.shape.begin() + 1, x.shape.end()}, {}};
  for (const double v : top.vector)
    map.data.push_back(static_cast<float>(std::sqrt(top.value) * v));
  make_largest_positive(map.data);
  return map;
}

base::Size first_component_bytes(base::Size channels, base::Size positions) {
  constexpr base::Size kFloat = sizeof(float), kCopies = 2;
  const auto n = std::min(channels, positions);
  return (channels * positions * kCopies + n * n + positions) * kFloat + eigenpair_bytes(n);
}

base::Size first_kernel_component_bytes(base::Size channels, base::Size positions) {
  constexpr base::Size kFloat = sizeof(float), kDouble = sizeof(double), kCopies = 2, kGrown = 3;
  return (channels * positions * kCopies + positions * positions + positions * kGrown) * kFloat +
         positions * kDouble + eigenpair_bytes(positions);
}

}  // namespace fovea::explain
