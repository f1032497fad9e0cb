#pragma once

#include <cmath>
#include <numbers>
#include <random>

#include "explain/method.hpp"

namespace fovea::explain {

inline MethodOption seed_option() {
  return {.name = "seed",
          .value = 0,
          .least = 0,
          .most = 4294967295.0,
          .whole = true,
          .help = "of the random numbers; the same seed gives the same map"};
}

/// Random numbers that are the same with every standard library (std's distributions are not).
class Random {
 public:
  /// Seeded by the method's option "seed".
  explicit Random(const Settings& settings)
      : engine_(static_cast<std::uint64_t>(settings.whole("seed"))) {}

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
