#pragma once

#include "engine/ops/op.hpp"

/// Matrix products over row-major memory, weights read where they lie.
namespace fovea::engine {

/// How a buffer is read as a (batch of) matrices.
struct Matrix {
  Dims dims;
  Dims strides;
};
Matrix matrix_of(const Shape& shape, bool transposed);
/// The last two axes exchanged.
Matrix transposed(Matrix m);

struct MatrixOperand {
  Operand tensor;  ///< row-major f32
  Matrix matrix;
  graph::ValueId constant;  ///< set where the operand may be a constant worth packing once
  /// A large matrix [in, out] as it lies: oneDNN's product for plain layouts reads it faster than
  /// its first choice does.
  bool by_inputs = false;
};

/// A constant in bf16, its elements in the order of the file, packed once per model: however its
/// products read it, they share one copy.
Operand bf16_weight(Builder& b, graph::ValueId constant);

struct MultiplyOptions {
  dnnl::primitive_attr attr = [] {
    dnnl::primitive_attr a;
    a.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return a;
  }();
  Operand bias;              ///< one value per column, f32
  Operand dst;               ///< where to write; none: a new buffer
  bool mostly_zero = false;  ///< left; see is_few_rows
};

/// left x right, batch axes broadcast, row-major f32 of `out_shape`.
Operand multiply(Builder& b, const MatrixOperand& left, const MatrixOperand& right,
                 const Shape& out_shape, const MultiplyOptions& options);

}  // namespace fovea::engine
