#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "simd/kernels.hpp"

/// What a row of the SIMD benchmark is made of.
namespace fovea::simd {

using i64 = std::int64_t;
using u8 = std::uint8_t;

inline std::vector<float> floats(i64 n, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> distribution(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& v : values) v = distribution(generator);
  return values;
}

inline std::vector<u8> bytes(i64 n, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::vector<u8> values(static_cast<std::size_t>(n));
  for (u8& v : values) v = static_cast<u8>(generator() >> 11);
  return values;
}

/// One thing to time: `run` once over the whole work, `wrong` compares what it left behind with the
/// reference.
struct Job {
  std::function<void(const Kernels&)> run;
  std::function<bool()> wrong;
  i64 traffic;
};

/// A row for every instruction set of this CPU; make() is called before each. The name up to the
/// first slash is the kernel's as in Kernels; two that work together are joined by a plus.
void add(const std::string& name, const std::function<Job()>& make);

inline bool differ(double got, double want, double tolerance) {
  return !(got == want || (got - want <= tolerance && want - got <= tolerance));
}

/// Rows of kernels over values that have no shape, and of the backward passes.
void add_values();
void add_backward_kernels();

}  // namespace fovea::simd
