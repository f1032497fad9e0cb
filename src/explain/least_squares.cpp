#include "explain/least_squares.hpp"

#include <cmath>
#include <numeric>

#include "fovea/error.hpp"

namespace fovea::explain {

NormalEquations::NormalEquations(std::size_t unknowns)
    : size_(unknowns), matrix_(unknowns * unknowns, 0.0), side_(unknowns, 0.0) {}

void NormalEquations::add(std::span<const double> row, double value, double weight) {
  for (std::size_t i = 0; i < size_; ++i) {
    const double scaled = weight * row[i];
    if (scaled == 0) continue;
    side_[i] += scaled * value;
    for (std::size_t j = 0; j <= i; ++j) matrix_[i * size_ + j] += scaled * row[j];
  }
}

std::vector<std::vector<double>> NormalEquations::inverse_times(
    std::vector<std::vector<double>> sides) const {
  auto l = matrix_;  // becomes the lower factor of l l^T
  for (std::size_t i = 0; i < size_; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = l[i * size_ + j];
      for (std::size_t k = 0; k < j; ++k) sum -= l[i * size_ + k] * l[j * size_ + k];
      if (i != j) {
        l[i * size_ + j] = sum / l[j * size_ + j];
        continue;
      }
      // What is left of a pivot is rounding where the column depends on those before it.
      if (!(sum > 1e-12 * matrix_[i * size_ + i]))
        throw Error(ErrorCode::invalid_argument,
                    "the samples do not tell all cells apart: more samples or fewer cells are "
                    "needed");
      l[i * size_ + i] = std::sqrt(sum);
    }
  for (auto& x : sides) {
    for (std::size_t i = 0; i < size_; ++i) {
      for (std::size_t k = 0; k < i; ++k) x[i] -= l[i * size_ + k] * x[k];
      x[i] /= l[i * size_ + i];
    }
    for (std::size_t i = size_; i-- > 0;) {
      for (std::size_t k = i + 1; k < size_; ++k) x[i] -= l[k * size_ + i] * x[k];
      x[i] /= l[i * size_ + i];
    }
  }
  return sides;
}

std::vector<double> NormalEquations::solve() const {
  return inverse_times({side_})[0];
}

std::vector<double> NormalEquations::solve_with_sum(double total) const {
  // Lagrange: x = A^-1 (b - m 1) with 1^T x = total.
  auto parts = inverse_times({side_, std::vector<double>(size_, 1.0)});
  const auto sum = [](const std::vector<double>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0);
  };
  const double multiplier = (sum(parts[0]) - total) / sum(parts[1]);
  for (std::size_t i = 0; i < size_; ++i) parts[0][i] -= multiplier * parts[1][i];
  return parts[0];
}

}  // namespace fovea::explain
