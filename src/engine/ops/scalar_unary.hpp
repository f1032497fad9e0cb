#pragma once

#include "graph/ops.hpp"

namespace fovea::engine {

/// A unary function that the SIMD kernels lack, and its slope; 0 where it has none.
struct ScalarUnary {
  double (*value)(double);
  double (*slope)(double);
};
ScalarUnary scalar_unary(const graph::Unary& op);

}  // namespace fovea::engine
