#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

/// Draws that a seed alone decides, whatever the standard library.
namespace fovea::shapes_test {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed * 0x9e3779b97f4a7c15U + 1) {}

  /// 0 to n - 1.
  std::int64_t below(std::size_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  std::size_t index(std::size_t n) { return static_cast<std::size_t>(below(n)); }
  bool chance(int percent) { return below(100) < percent; }
  float number(float low, float high) {
    return low +
           (high - low) * static_cast<float>(below(1U << 20U)) / static_cast<float>(1U << 20U);
  }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + below(values.size()));
  }
  template <class T>
  const T& one_of(const std::vector<T>& values) {
    return values[index(values.size())];
  }
  std::vector<float> numbers(std::int64_t count, float low, float high) {
    std::vector<float> out;
    for (std::int64_t i = 0; i < count; ++i) out.push_back(number(low, high));
    return out;
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace fovea::shapes_test
