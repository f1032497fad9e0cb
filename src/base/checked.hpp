#pragma once

#include <cstdint>
#include <span>

#include "fovea/error.hpp"

/// The one place that multiplies sizes: a product that does not fit is an error, never a wrap.
namespace fovea::base {

/// Elements of one tensor: oneDNN's kernels count in 32-bit integers.
inline constexpr std::int64_t kMaxElements = (std::int64_t{1} << 31) - 1;
inline constexpr int kMaxRank = 8;

/// a * b for sizes; throws Error(code) when it overflows or an operand is negative.
inline std::int64_t checked_mul(std::int64_t a, std::int64_t b,
                                ErrorCode code = ErrorCode::bad_model) {
  std::int64_t out = 0;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &out))
    throw Error(code, "a size does not fit into 64 bits");
  return out;
}

/// a + b for sizes; throws Error(code) when it overflows.
inline std::int64_t checked_add(std::int64_t a, std::int64_t b,
                                ErrorCode code = ErrorCode::bad_model) {
  std::int64_t out = 0;
  if (__builtin_add_overflow(a, b, &out)) throw Error(code, "a size does not fit into 64 bits");
  return out;
}

/// Product of the extents of a shape (1 for a scalar), at most kMaxElements, rank at most kMaxRank.
inline std::int64_t element_count(std::span<const std::int64_t> shape,
                                  ErrorCode code = ErrorCode::bad_model) {
  if (shape.size() > static_cast<std::size_t>(kMaxRank))
    throw Error(code, "a tensor has more than 8 dimensions");
  std::int64_t n = 1;
  bool zero = false;
  for (const auto extent : shape) {
    if (extent == 0) zero = true;
    n = checked_mul(n, extent == 0 ? 1 : extent, code);
    if (n > kMaxElements) throw Error(code, "a tensor has more than 2^31 - 1 elements");
  }
  return zero ? 0 : n;
}

}  // namespace fovea::base
