#pragma once

#include "base/checked.hpp"

namespace fovea::base {

/// A size whose sums and products are checked: Error out_of_memory where one does not fit.
struct Size {
  std::int64_t n = 0;
  constexpr Size() = default;
  constexpr Size(std::int64_t value) : n(value) {}  // NOLINT: sizes mix with whole numbers
  friend Size operator+(Size a, Size b) { return checked_add(a.n, b.n, ErrorCode::out_of_memory); }
  friend Size operator*(Size a, Size b) { return checked_mul(a.n, b.n, ErrorCode::out_of_memory); }
  Size& operator+=(Size other) { return *this = *this + other; }
  friend bool operator<(Size a, Size b) { return a.n < b.n; }
};

}  // namespace fovea::base
