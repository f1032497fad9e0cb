#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace fovea::explain {

/// Random numbers that are the same with every standard library (std's distributions are not).
class Random {
 public:
  explicit Random(std::int64_t seed) : engine_(static_cast<std::uint64_t>(seed)) {}

  /// In (0, 1).
  double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) / 9007199254740992.0; }
  /// Mean 0, deviation 1 (Box and Muller 1958).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace fovea::explain
