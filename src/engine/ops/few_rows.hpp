#pragma once

#include "engine/ops/matmul.hpp"

/// A few rows times a constant matrix. Memory limits such a product: fovea's own kernels read the
/// matrix once, where it lies, and where its rows are the summed axis leave out those whose factors
/// are zero (behind a ReLU, or for a one-hot seed, most of them).
namespace fovea::engine {

/// A node's constant matrix [out, in] had better lie as [in, out] for a few rows of its input 0: it
/// is more than caches hold, and an activation in front leaves zeros, whose rows nobody reads then.
bool is_worth_transposing(const ForwardContext& c);

/// The node's input 0 is zero but for what a few positions of a map become.
bool is_mostly_zero(const ForwardContext& c);

/// True where multiply_few_rows takes the product; it does no post-ops. It takes any number of rows
/// that are `mostly_zero`, where the matrix allows to leave out most of it.
bool is_few_rows(const Builder& b, const MatrixOperand& left, const MatrixOperand& right,
                 bool mostly_zero = false);

struct FewRowsOptions {
  Operand bias;     ///< one value per column, f32
  float scale = 1;  ///< of the product, before the bias
};
Operand multiply_few_rows(Builder& b, const MatrixOperand& left, const MatrixOperand& right,
                          const Shape& out_shape, const FewRowsOptions& options);

/// dst[i, c] = scale * sum_r rows[i, r] * matrix[r, c]: any number of rows [n, r], a few at a time,
/// times a row-major matrix [r, c] in f32.
Operand multiply_rows(Builder& b, const Operand& rows, const Operand& matrix, float scale);

}  // namespace fovea::engine
