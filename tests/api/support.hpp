#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <random>

#include "fovea/fovea.hpp"

namespace fovea::api_test {

inline std::filesystem::path golden_model(const std::string& name) {
  return std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/golden/data" / name / "model.onnx";
}

inline std::int64_t count(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  return n;
}

/// Values like a normalised photo's, the same for a seed.
inline Tensor random_input(const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Tensor out{shape, std::vector<float>(static_cast<std::size_t>(count(shape)))};
  for (auto& v : out.data) v = normal(random);
  return out;
}

inline Tensor random_input(const Explainer& explainer, unsigned seed) {
  return random_input(explainer.inputs()[0].shape, seed);
}

inline ErrorCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

/// Within f32's rounding of each other.
inline void expect_near(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.shape, b.shape);
  float most = 0;
  for (const float v : b.data) most = std::max(most, std::abs(v));
  for (std::size_t i = 0; i < a.data.size(); ++i)
    ASSERT_NEAR(a.data[i], b.data[i], 1e-4 * most + 1e-12) << i;
}

}  // namespace fovea::api_test
