#pragma once

#include <vector>

#include "engine/ops/matmul.hpp"
#include "engine/ops/op.hpp"
#include "engine/ops/recurrent_cells.hpp"

/// What the steps of a recurrent operator name their operands by.
namespace fovea::engine::recurrent {

enum Input : std::size_t { kX, kW, kR, kBias, kLengths, kHidden, kCell, kPeepholes };
enum Result : std::size_t { kY, kLastHidden, kLastCell };

/// Operands of a kernel of which some may be absent: pointers by role, null where there is none.
class Roles {
 public:
  std::size_t add(const Operand& tensor) {
    if (!tensor) return kNone;
    tensors_.push_back(tensor);
    return tensors_.size() - 1;
  }
  const std::vector<Operand>& tensors() const { return tensors_; }

  static constexpr std::size_t kNone = ~std::size_t{0};
  static float* at(Pointers p, std::size_t role, std::size_t first = 0) {
    return role == kNone ? nullptr : floats(p, first + role);
  }

 private:
  std::vector<Operand> tensors_;
};

inline Operand optional_in(ForwardContext& c, std::size_t i) {
  return c.has(i) ? c.plain_in(i) : Operand();
}

/// The rows of all steps: [time n, directions gates hidden].
inline Shape rows_shape(const CellSizes& s) {
  return {s.time * s.images, s.directions * s.rows()};
}

inline MatrixOperand weights(ForwardContext& c, const CellSizes& s, bool transposed) {
  const Shape shape{s.directions * s.rows(), c.in_shape(kX)[2]};
  return {c.plain_in(kW), matrix_of(shape, transposed), c.node().inputs[kW]};
}

/// From what reached the rows to what reaches x.
inline Operand to_input(BackwardContext& c, const CellSizes& s, const Operand& rows) {
  const Shape shape{s.time * s.images, c.in_shape(kX)[2]};
  Operand out =
      multiply(c.b, {rows, matrix_of(rows_shape(s), false), {}}, weights(c, s, false), shape, {});
  out.desc = plain_desc(c.in_shape(kX));
  return out;
}

}  // namespace fovea::engine::recurrent
