#pragma once

#include "simd/kernels/matrix.hpp"

/// What the cosine of weighted rows with a weighted vector is made of.
namespace fovea::simd {
namespace {

struct WeightedSums {
  F dots = F(0.f);
  F squares = F(0.f);

  void add(F row, F towards, F weights) {
    dots = fused(row, towards, dots);
    squares = fused(row * row, weights, squares);
  }
};

void weighted_dots_bf16(const std::uint16_t* matrix, i64 columns, const float* towards,
                        const float* weights, i64 r_begin, i64 r_end, float* dots, float* squares) {
  for (i64 r = r_begin; r < r_end; ++r) {
    const std::uint16_t* row = matrix + r * columns;
    WeightedSums even, odd;
    i64 c = 0;
    for (; c + 2 * kLanes <= columns; c += 2 * kLanes) {
      even.add(load_matrix(row + c), load_all<F>(towards + c), load_all<F>(weights + c));
      odd.add(load_matrix(row + c + kLanes), load_all<F>(towards + c + kLanes),
              load_all<F>(weights + c + kLanes));
    }
    for (; c < columns; c += kLanes) {
      const i64 lanes = min_of(kLanes, columns - c);
      if (lanes == kLanes)
        even.add(load_matrix(row + c), load_all<F>(towards + c), load_all<F>(weights + c));
      else
        odd.add(load_matrix_part(row + c, lanes), load_part<F>(towards + c, lanes),
                load_part<F>(weights + c, lanes));
    }
    dots[r] = sum_lanes(F(even.dots + odd.dots));
    squares[r] = sum_lanes(F(even.squares + odd.squares));
  }
}

}  // namespace
}  // namespace fovea::simd
