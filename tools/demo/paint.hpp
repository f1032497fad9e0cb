#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

/// What the background and the objects are painted with.
namespace fovea::demo {

struct Rgb {
  int r = 0, g = 0, b = 0;
};

/// `a` at t = 0, `b` at t = 256.
constexpr Rgb mix(Rgb a, Rgb b, int t) {
  return {a.r + (((b.r - a.r) * t) >> 8), a.g + (((b.g - a.g) * t) >> 8),
          a.b + (((b.b - a.b) * t) >> 8)};
}

/// Brighter or darker by `by` levels.
constexpr Rgb lift(Rgb c, int by) {
  return {std::clamp(c.r + by, 0, 255), std::clamp(c.g + by, 0, 255), std::clamp(c.b + by, 0, 255)};
}

/// Rounded down; `n` not negative.
constexpr int isqrt(std::int64_t n) {
  std::int64_t root = 0;
  const int top = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n))) / 2;
  for (std::int64_t bit = std::int64_t{1} << top; bit > 0; bit >>= 1)
    if ((root + bit) * (root + bit) <= n) root += bit;
  return static_cast<int>(root);
}

/// A direction whose length is 1 << 14.
struct Direction {
  int cosine = 0, sine = 0;
};
inline constexpr int kTurn = 64;  ///< steps in a full turn

constexpr Direction direction(int step) {
  constexpr std::array<int, 17> quarter = {0,     1606,  3196,  4756,  6270,  7723,
                                           9102,  10394, 11585, 12665, 13623, 14449,
                                           15137, 15679, 16069, 16305, 16384};
  const auto sine = [&](int s) {
    s &= kTurn - 1;
    const int folded = s % 32 <= 16 ? s % 32 : 32 - s % 32;
    return s < 32 ? quarter[static_cast<std::size_t>(folded)]
                  : -quarter[static_cast<std::size_t>(folded)];
  };
  return {sine(step + 16), sine(step)};
}

/// Positions inside a pixel: eighths, so that four samples a side have their centres on integers.
inline constexpr int kSubpixels = 8;
inline constexpr int kSamples = 4;  ///< a side; 16 a pixel

constexpr int sample_at(int pixel, int sample) {
  return pixel * kSubpixels + 2 * sample + 1;
}

}  // namespace fovea::demo
