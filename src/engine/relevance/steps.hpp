#pragma once

#include "engine/ops/op.hpp"
#include "engine/relevance.hpp"

/// The element-wise steps of a backward pass of relevance.
namespace fovea::engine {

/// What a backward pass's steps add up of what is absorbed, in doubles per image.
class Losses {
 public:
  /// `images`: those of the scores.
  Losses(Builder& builder, std::int64_t images);

  /// s = scale * R / (z + stabilizer sign(z)) in z's layout, its extents `shape`; what the
  /// stabilizer takes is added, and of a `bias` (one value per channel: the last axis where
  /// `channels_last`, else axis 1; may be none) what it takes. `side` and `which`: see
  /// simd::Kernels::relevance_ratio; `side` may be none.
  struct Division {
    float scale = 1;
    float stabilizer = 0;
    Operand bias;
    bool channels_last = false;
    Operand side;
    int which = 0;
  };
  Operand divide(const Operand& relevance, const Operand& z, const Shape& shape,
                 const Division& division);

  /// The layout of such sums: [rows, 2].
  static Desc sums_desc(std::int64_t rows);
  /// Adds those of a step of its own, whose rows are images over and over.
  void add(const Operand& sums, std::int64_t rows);

  /// Adds sign * the sum of a value's elements to what biases take.
  void add_sum(const Operand& tensor, const Shape& shape, double sign);

  /// [images, 2] doubles: biases, stabilizers.
  const Operand& tensor() const { return totals_; }

 private:
  /// Images of the scores that a value's leading extent is divided into; 1 where it cannot be.
  std::int64_t parts_of(const Shape& shape) const;

  Builder& b_;
  std::int64_t images_;
  Operand totals_;
};

/// x as a rule replaces it, in x's layout: x itself where it need not change.
Operand replaced_input(Builder& b, const Operand& x, const Shape& shape, const Substitute& form);

/// factor * a.
Operand scaled_by(Builder& b, const Operand& a, float factor);

}  // namespace fovea::engine
