#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "api/support.hpp"

namespace fovea::api_test {
namespace {

TEST(Normalized, DividesByTheMaximumAndDropsTheNegative) {
  const Tensor map{{2, 2}, {-1, 0.5f, 2, 1}};
  EXPECT_EQ(normalized(map, Normalize::max).data, (std::vector<float>{0, 0.25f, 1, 0.5f}));
  EXPECT_EQ(normalized(map, Normalize::none).data, map.data);
  const auto minmax = normalized(map, Normalize::minmax).data;
  const std::vector<float> want = {0, 0.5f, 1, 2 / 3.f};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(minmax[i], want[i], 1e-6);
}

TEST(Normalized, NothingStaysNothing) {
  const Tensor zero{{3}, {0, 0, 0}}, negative{{3}, {-1, -2, -3}}, constant{{3}, {5, 5, 5}};
  EXPECT_EQ(normalized(zero, Normalize::max).data, zero.data);
  EXPECT_EQ(normalized(zero, Normalize::minmax).data, zero.data);
  EXPECT_EQ(normalized(negative, Normalize::max).data, zero.data);
  EXPECT_EQ(normalized(constant, Normalize::minmax).data, zero.data);
  EXPECT_TRUE(normalized(Tensor{{0}, {}}, Normalize::max).data.empty());
}

TEST(Normalized, NotANumberStays) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto out = normalized(Tensor{{3}, {nan, 1, 2}}, Normalize::max).data;
  EXPECT_TRUE(std::isnan(out[0]));
  EXPECT_EQ(out[2], 1);
}

/// Half-pixel bilinear along one axis, straight from its definition.
double tap(const std::vector<double>& line, double scale, std::int64_t i) {
  const double last = static_cast<double>(line.size()) - 1;
  const double x = std::clamp((static_cast<double>(i) + 0.5) / scale - 0.5, 0.0, last);
  const auto low = static_cast<std::size_t>(std::floor(x));
  const auto high = std::min(low + 1, line.size() - 1);
  return line[low] + (line[high] - line[low]) * (x - std::floor(x));
}

TEST(Resized, IsSeparableBilinear) {
  const Tensor map = random_input({3, 5}, 1);
  const Shape to = {7, 11};
  const Tensor got = resized(map, to);
  ASSERT_EQ(got.shape, to);
  for (std::int64_t y = 0; y < 7; ++y)
    for (std::int64_t x = 0; x < 11; ++x) {
      std::vector<double> column;
      for (std::int64_t r = 0; r < 3; ++r) {
        const auto* row = map.data.data() + r * 5;
        column.push_back(tap(std::vector<double>(row, row + 5), 11.0 / 5, x));
      }
      EXPECT_NEAR(got.data[static_cast<std::size_t>(y * 11 + x)], tap(column, 7.0 / 3, y), 1e-6);
    }
}

TEST(Resized, LinesAndVolumesToo) {
  const Tensor line{{2}, {0, 1}};
  EXPECT_EQ(resized(line, {4}).data, (std::vector<float>{0, 0.25f, 0.75f, 1}));
  const Tensor volume{{2, 1, 1}, {0, 1}};
  EXPECT_EQ(resized(volume, {4, 1, 2}).data,
            (std::vector<float>{0, 0, 0.25f, 0.25f, 0.75f, 0.75f, 1, 1}));
  EXPECT_THROW(resized(line, {2, 2}), Error);
  EXPECT_THROW(resized(line, {0}), Error);
  EXPECT_THROW(resized(Tensor{{3}, {1}}, {3}), Error);
}

}  // namespace
}  // namespace fovea::api_test
