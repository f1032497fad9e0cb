#include "explain/principal.hpp"

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "engine/plan.hpp"

namespace fovea::explain {
namespace {

using Eigen::Index;
using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Index kMaxSteps = 96;    // of Lanczos' recurrence
constexpr Index kRowsAtOnce = 64;  // of a matrix that is brought to doubles

/// x [channels, extents] as a matrix [channels, positions].
Eigen::Map<const Rows> as_rows(const Tensor& x) {
  const auto channels = static_cast<Index>(x.shape[0]);
  return {x.data.data(), channels, static_cast<Index>(x.data.size()) / channels};
}

/// The channels' means over positions taken off.
Rows centred(const Tensor& x) {
  const auto rows = as_rows(x).cast<double>();
  const Eigen::VectorXd means = rows.rowwise().mean();
  return (rows.colwise() - means).cast<float>();
}

/// a a^T.
Rows gram(const Rows& a, const Rows& a_transposed) {
  Rows out(a.rows(), a.rows());
  engine::multiply_matrices(1, a.data(), a_transposed.data(), out.data(), a.rows(), a.cols(),
                            a.rows());
  return out;
}

/// matrix v, in doubles: the matrix may be too large to hold it in them.
void multiply(const Eigen::Map<const Rows>& matrix, const Eigen::Ref<const Eigen::VectorXd>& v,
              Eigen::VectorXd& out) {
  for (Index row = 0; row < matrix.rows(); row += kRowsAtOnce) {
    const auto count = std::min(kRowsAtOnce, matrix.rows() - row);
    const Eigen::MatrixXd part = matrix.middleRows(row, count).cast<double>();
    out.segment(row, count).noalias() = part * v;
  }
}

/// Lanczos' recurrence (Golub and Van Loan, section 10.1): a few products with the matrix, where a
/// solver for all eigenvectors would need as many as the matrix has rows.
Eigenpair largest_of(const Eigen::Map<const Rows>& matrix) {
  constexpr Index kCheck = 8;
  constexpr double kConverged = 1e-9;
  const auto rows = matrix.rows();
  const auto most = std::min(rows, kMaxSteps);
  Eigen::MatrixXd basis(rows, most);
  Eigen::VectorXd diagonal(most), beside(most), next(rows);
  // No vector that a network could be orthogonal to.
  for (Index i = 0; i < rows; ++i) next[i] = 1 + 0.5 * std::sin(static_cast<double>(i * i + 1));
  double length = next.norm();
  Eigenpair found{0, std::vector<double>(static_cast<std::size_t>(rows), 0.0)};
  for (Index size = 1;; ++size) {
    basis.col(size - 1) = next / length;
    multiply(matrix, basis.col(size - 1), next);
    diagonal[size - 1] = next.dot(basis.col(size - 1));
    // Twice: once is not enough for vectors that have lost their orthogonality.
    const auto so_far = basis.leftCols(size);
    for (int pass = 0; pass < 2; ++pass) {
      const Eigen::VectorXd parts = so_far.transpose() * next;
      next.noalias() -= so_far * parts;
    }
    length = next.norm();
    beside[size - 1] = length;
    const bool last = size == most || length <= 1e-12 * std::abs(diagonal[0]);
    if (!last && size % kCheck != 0) continue;
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> small;
    small.computeFromTridiagonal(diagonal.head(size), beside.head(size - 1));
    const double value = small.eigenvalues()[size - 1];  // they ascend
    const auto parts = small.eigenvectors().col(size - 1);
    if (!last && !(length * std::abs(parts[size - 1]) <= kConverged * std::abs(value))) continue;
    if (value > 0) {
      found.value = value;
      Eigen::Map<Eigen::VectorXd>(found.vector.data(), rows).noalias() = so_far * parts;
    }
    return found;
  }
}

Eigenpair largest_of(const Rows& matrix) {
  return largest_of(Eigen::Map<const Rows>(matrix.data(), matrix.rows(), matrix.cols()));
}

/// What each row has of the component, which is its length along the eigenvector.
std::vector<float> scaled(const Eigenpair& top) {
  std::vector<float> out;
  for (const double v : top.vector) out.push_back(static_cast<float>(std::sqrt(top.value) * v));
  return out;
}

void make_largest_positive(std::vector<float>& map) {
  const auto largest = std::max_element(map.begin(), map.end(),
                                        [](float a, float b) { return std::abs(a) < std::abs(b); });
  if (largest != map.end() && *largest < 0)
    for (auto& v : map) v = -v;
}

}  // namespace

Eigenpair largest_eigenpair(std::span<const float> matrix, std::int64_t n) {
  return largest_of(Eigen::Map<const Rows>(matrix.data(), n, n));
}

Tensor first_component(const Tensor& x) {
  const auto rows = centred(x);
  const Rows columns = rows.transpose();
  Tensor map{{x.shape.begin() + 1, x.shape.end()}, {}};
  if (rows.cols() <= rows.rows()) {
    map.data = scaled(largest_of(gram(columns, rows)));
  } else {
    const auto top = largest_of(gram(rows, columns));
    const Eigen::Map<const Eigen::VectorXd> direction(top.vector.data(), rows.rows());
    map.data.resize(static_cast<std::size_t>(rows.cols()));
    for (Index p = 0; p < rows.cols(); ++p)
      map.data[static_cast<std::size_t>(p)] =
          static_cast<float>(columns.row(p).cast<double>().dot(direction));
  }
  const Eigen::VectorXd totals = as_rows(x).cast<double>().colwise().sum();
  const double agreement =
      totals.dot(Eigen::Map<const Eigen::VectorXf>(map.data.data(), rows.cols()).cast<double>());
  if (agreement < 0)
    for (auto& v : map.data) v = -v;
  if (agreement == 0) make_largest_positive(map.data);
  return map;
}

Tensor first_kernel_component(const Tensor& x, double gamma) {
  const auto rows = centred(x);
  if (gamma == 0) gamma = 1 / static_cast<double>(rows.rows());
  Rows kernel = gram(rows.transpose(), rows);
  // Less that of 0, which centring takes off again: what does not vary is zero, not rounding.
  const double zero = std::tanh(gamma * 0 + 1);
  const auto at = [&](Index i, Index j) { return std::tanh(gamma * kernel(i, j) + 1) - zero; };
  // Centred in the space that the kernel stands for, and in the memory of the products: there may
  // be gigabytes of them.
  Eigen::VectorXd means = Eigen::VectorXd::Zero(kernel.rows());
  for (Index i = 0; i < kernel.rows(); ++i)
    for (Index j = 0; j < kernel.cols(); ++j)
      means[i] += at(i, j) / static_cast<double>(kernel.cols());
  const double mean = means.mean();
  for (Index i = 0; i < kernel.rows(); ++i)
    for (Index j = 0; j < kernel.cols(); ++j)
      kernel(i, j) = static_cast<float>(at(i, j) - means[i] - means[j] + mean);
  Tensor map{{x.shape.begin() + 1, x.shape.end()}, scaled(largest_of(kernel))};
  make_largest_positive(map.data);
  return map;
}

namespace {

/// Of largest_eigenpair.
base::Size eigenpair_bytes(base::Size n) {
  constexpr base::Size kDouble = sizeof(double), kWork = 6, kSmall = 4;
  const base::Size most = static_cast<std::int64_t>(kMaxSteps);
  const base::Size at_once = static_cast<std::int64_t>(kRowsAtOnce);
  const base::Size steps = std::min(n, most);
  return n * (steps + std::min(n, at_once) + kWork) * kDouble + steps * steps * kSmall * kDouble;
}

}  // namespace

base::Size first_component_bytes(base::Size channels, base::Size positions) {
  constexpr base::Size kFloat = sizeof(float), kDouble = sizeof(double), kCopies = 2;
  const auto n = std::min(channels, positions);
  return (channels * positions * kCopies + n * n + positions) * kFloat +
         (channels + positions) * kDouble + eigenpair_bytes(n);
}

base::Size first_kernel_component_bytes(base::Size channels, base::Size positions) {
  constexpr base::Size kFloat = sizeof(float), kDouble = sizeof(double), kCopies = 2, kGrown = 3;
  return (channels * positions * kCopies + positions * positions + positions * kGrown) * kFloat +
         (channels + positions) * kDouble + eigenpair_bytes(positions);
}

}  // namespace fovea::explain
