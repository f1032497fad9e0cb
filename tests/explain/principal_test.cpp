#include "explain/principal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace fovea::explain {
namespace {

/// b b^T of a random b [n, rank].
std::vector<float> random_matrix(std::size_t n, std::size_t rank, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> b(n * rank), out(n * n);
  for (auto& v : b) v = normal(random);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t k = 0; k < rank; ++k) out[i * n + j] += b[i * rank + k] * b[j * rank + k];
  return out;
}

TEST(LargestEigenpair, IsOneAndNoVectorGoesFurther) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  for (const std::size_t n : {1, 2, 7, 49, 130}) {
    const auto matrix = random_matrix(n, n + 3, static_cast<unsigned>(n));
    const auto found = largest_eigenpair(matrix, static_cast<std::int64_t>(n));
    double length = 0, worst = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += matrix[i * n + j] * found.vector[j];
      worst = std::max(worst, std::abs(sum - found.value * found.vector[i]));
      length += found.vector[i] * found.vector[i];
    }
    EXPECT_NEAR(length, 1, 1e-9) << n;
    EXPECT_LE(worst, 1e-5 * found.value) << n;
    for (int trial = 0; trial < 50; ++trial) {
      std::vector<double> v(n);
      for (auto& e : v) e = normal(random);
      double up = 0, down = 0;
      for (std::size_t i = 0; i < n; ++i) {
        down += v[i] * v[i];
        for (std::size_t j = 0; j < n; ++j) up += v[i] * matrix[i * n + j] * v[j];
      }
      EXPECT_LE(up / down, found.value * (1 + 1e-6)) << n;
    }
  }
}

TEST(LargestEigenpair, OfARankOneAndAZeroMatrix) {
  const auto one = random_matrix(20, 1, 3);
  double trace = 0;
  for (std::size_t i = 0; i < 20; ++i) trace += one[i * 21];
  EXPECT_NEAR(largest_eigenpair(one, 20).value, trace, 1e-5 * trace);
  const auto zero = largest_eigenpair(std::vector<float>(16, 0.f), 4);
  EXPECT_EQ(zero.value, 0);
  EXPECT_EQ(zero.vector, std::vector<double>(4, 0.0));
}

TEST(LargestEigenpair, OfAnEigenvalueThatIsThereTwiceIsOneOfItsVectors) {
  constexpr std::size_t kHalf = 9, kSize = 2 * kHalf;
  const auto block = random_matrix(kHalf, kHalf, 4);
  std::vector<float> matrix(kSize * kSize, 0.f), identity(kSize * kSize, 0.f);
  for (std::size_t i = 0; i < kSize; ++i) {
    identity[i * kSize + i] = 1;
    for (std::size_t j = 0; j < kSize; ++j)
      if (i / kHalf == j / kHalf) matrix[i * kSize + j] = block[i % kHalf * kHalf + j % kHalf];
  }
  const double once = largest_eigenpair(block, kHalf).value;
  for (const auto& [m, value] : {std::pair{matrix, once}, std::pair{identity, 1.0}}) {
    const auto found = largest_eigenpair(m, kSize);
    EXPECT_NEAR(found.value, value, 1e-9 * value);
    double length = 0;
    for (std::size_t i = 0; i < kSize; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < kSize; ++j) sum += m[i * kSize + j] * found.vector[j];
      EXPECT_NEAR(sum, value * found.vector[i], 1e-6 * value) << i;
      length += found.vector[i] * found.vector[i];
    }
    EXPECT_NEAR(length, 1, 1e-9);
  }
}

Tensor random_map(const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::size_t count = 1;
  for (const auto extent : shape) count *= static_cast<std::size_t>(extent);
  Tensor out{shape, std::vector<float>(count)};
  for (auto& v : out.data) v = normal(random);
  return out;
}

TEST(FirstComponent, IsTheSameFromEitherSide) {
  // More channels than positions, and fewer: the same data by another matrix.
  Tensor wide = random_map({9, 2, 4}, 11);
  Tensor tall = wide;
  for (int copy = 0; copy < 3; ++copy)
    tall.data.insert(tall.data.end(), wide.data.begin(), wide.data.end());
  tall.shape[0] = 36;  // four times each channel: the component doubles
  Tensor few{{3, 2, 4}, {wide.data.begin(), wide.data.begin() + 24}};
  Tensor more = few;
  for (int copy = 0; copy < 3; ++copy)
    more.data.insert(more.data.end(), few.data.begin(), few.data.end());
  more.shape[0] = 12;
  for (const auto& [a, b] : {std::pair{wide, tall}, std::pair{few, more}}) {
    const auto one = first_component(a), two = first_component(b);
    for (std::size_t p = 0; p < one.data.size(); ++p)
      EXPECT_NEAR(2 * one.data[p], two.data[p], 1e-4) << p;
  }
}

TEST(FirstComponent, AgreesWithTheSumOverChannels) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    Tensor x = random_map({6, 3, 3}, seed);
    for (int round = 0; round < 2; ++round) {
      const auto map = first_component(x);
      double agreement = 0;
      for (std::size_t i = 0; i < x.data.size(); ++i) agreement += x.data[i] * map.data[i % 9];
      EXPECT_GE(agreement, 0) << seed;
      for (auto& v : x.data) v = -v;  // the sign follows the data
    }
  }
}

TEST(FirstComponent, OfAConstantLayerIsZero) {
  for (const std::int64_t extent : {1, 2, 3, 7, 14}) {
    const Tensor x{{4, extent, extent},
                   std::vector<float>(static_cast<std::size_t>(4 * extent * extent), 0.3f)};
    for (const float v : first_component(x).data) EXPECT_EQ(v, 0);
    for (const float v : first_kernel_component(x, 0).data) EXPECT_EQ(v, 0);
  }
}

}  // namespace
}  // namespace fovea::explain
