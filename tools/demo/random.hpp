#pragma once

#include <cstdint>

/// Integers only: the same numbers on every machine and compiler.
namespace fovea::demo {

/// The output step of splitmix64 (Steele, Lea and Flood, OOPSLA 2014): a good 64-bit hash.
constexpr std::uint64_t scramble(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// splitmix64. Draws are taken one to a statement: C++ leaves the order of arguments open, and the
/// order is part of a scene.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(scramble(seed ^ 0x666f766561u)) {}

  constexpr std::uint64_t next() { return scramble(state_ += 0x9e3779b97f4a7c15u); }

  /// Uniform in lo..hi, both included; the range must be smaller than 2^31.
  constexpr int between(int lo, int hi) {
    const auto size = static_cast<std::uint64_t>(static_cast<std::int64_t>(hi) - lo + 1);
    return static_cast<int>(lo + static_cast<std::int64_t>(((next() >> 32) * size) >> 32));
  }

 private:
  std::uint64_t state_;
};

}  // namespace fovea::demo
