#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/size.hpp"
#include "fovea/tensor.hpp"

/// The first principal component, for the methods that project a layer onto it.
namespace fovea::explain {

/// An eigenvector of length 1 for the largest eigenvalue of a symmetric matrix [n, n], and that
/// eigenvalue. The matrix must have no negative eigenvalue of a larger magnitude. All zero for a
/// zero matrix.
struct Eigenpair {
  double value = 0;
  std::vector<double> vector;
};
Eigenpair largest_eigenpair(std::span<const float> matrix, std::int64_t n);

/// x [channels, extents], positions as samples: what each position has of the first principal
/// component of the channels (U_1 sigma_1 of the centred matrix), [extents]. Its sign is that which
/// agrees with the sum over channels of x; where that is orthogonal, the largest magnitude is
/// positive.
Tensor first_component(const Tensor& x);

/// The same of the kernel tanh(gamma <a, b> + 1) of the centred positions, gamma = 1 / channels
/// where 0 (Schoelkopf et al. 1998). Its largest magnitude is positive.
Tensor first_kernel_component(const Tensor& x, double gamma);

/// What these two allocate, with what they return.
base::Size first_component_bytes(base::Size channels, base::Size positions);
base::Size first_kernel_component_bytes(base::Size channels, base::Size positions);

}  // namespace fovea::explain
