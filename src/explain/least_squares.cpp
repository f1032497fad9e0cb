#include "explain/least_squares.hpp"

#include <Eigen/Cholesky>

#include "fovea/error.hpp"

namespace fovea::explain {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

Eigen::Map<const Vector> as_vector(std::span<const double> v) {
  return {v.data(), std::ssize(v)};
}

Eigen::LLT<Matrix> factored(const std::vector<double>& matrix, std::size_t unknowns) {
  const auto size = static_cast<Eigen::Index>(unknowns);
  const Eigen::Map<const Matrix> a(matrix.data(), size, size);
  Eigen::LLT<Matrix> out(a);
  // What is left of a pivot is rounding where the column depends on those before it.
  const auto pivots = out.matrixLLT().diagonal().array().square();
  if (out.info() != Eigen::Success || !(pivots > 1e-12 * a.diagonal().array()).all())
    throw Error(ErrorCode::invalid_argument,
                "the samples do not tell all cells apart: more samples or fewer cells are needed");
  return out;
}

std::vector<double> as_std(const Vector& v) {
  return {v.begin(), v.end()};
}

}  // namespace

NormalEquations::NormalEquations(std::size_t unknowns)
    : size_(unknowns), matrix_(unknowns * unknowns, 0.0), side_(unknowns, 0.0) {}

void NormalEquations::add(std::span<const double> row, double value, double weight) {
  const auto z = as_vector(row);
  Eigen::Map<Matrix>(matrix_.data(), z.size(), z.size())
      .selfadjointView<Eigen::Lower>()
      .rankUpdate(z, weight);
  Eigen::Map<Vector>(side_.data(), z.size()) += weight * value * z;
}

std::vector<double> NormalEquations::solve() const {
  return as_std(factored(matrix_, size_).solve(as_vector(side_)));
}

std::vector<double> NormalEquations::solve_with_sum(double total) const {
  // Lagrange: x = A^-1 (b - m 1) with 1^T x = total.
  const auto factor = factored(matrix_, size_);
  const Vector free = factor.solve(as_vector(side_));
  const Vector ones = factor.solve(Vector::Ones(free.size()));
  return as_std(free - (free.sum() - total) / ones.sum() * ones);
}

}  // namespace fovea::explain
