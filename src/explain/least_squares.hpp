#pragma once

#include <cstddef>
#include <span>
#include <vector>

/// Weighted least squares by the normal equations (Cholesky), in f64.
namespace fovea::explain {

/// sum_i w_i z_i z_i^T and sum_i w_i v_i z_i of rows z_i with values v_i and weights w_i.
class NormalEquations {
 public:
  explicit NormalEquations(std::size_t unknowns);

  void add(std::span<const double> row, double value, double weight);
  /// Adds to the diagonal: a ridge on unknown i.
  void add_ridge(std::size_t i, double amount) { matrix_[i * size_ + i] += amount; }

  /// The least squares solution. Throws Error invalid_argument where the rows leave it open.
  std::vector<double> solve() const;
  /// That whose unknowns sum to `total`.
  std::vector<double> solve_with_sum(double total) const;

 private:
  std::size_t size_;
  std::vector<double> matrix_;  ///< [size, size], by columns; the lower triangle is kept
  std::vector<double> side_;
};

}  // namespace fovea::explain
