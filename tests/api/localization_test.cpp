#include "fovea/localization.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "api/support.hpp"

namespace fovea::api_test {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// A map drawn in text: digits are tenths, a dot is 0.
Tensor drawn(const std::vector<std::string>& rows) {
  Tensor map{{static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows[0].size())},
             {}};
  for (const auto& row : rows)
    for (const char c : row) map.data.push_back(c == '.' ? 0.F : static_cast<float>(c - '0') / 10);
  return map;
}

/// Slow and obvious: spreads from every pixel to its eight neighbours, one component at a time.
std::optional<Box> flooded(const Tensor& map, float share) {
  const auto h = map.shape[0], w = map.shape[1];
  float largest = 0;
  for (const float v : map.data)
    if (std::isfinite(v)) largest = std::max(largest, v);
  if (largest == 0) return std::nullopt;
  std::vector<char> left(map.data.size());
  for (std::size_t i = 0; i < left.size(); ++i)
    left[i] = std::isfinite(map.data[i]) && map.data[i] > share * largest;
  std::optional<Box> best;
  std::size_t most = 0;
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t x = 0; x < w; ++x) {
      std::vector<std::pair<std::int64_t, std::int64_t>> reached;
      const auto reach = [&](std::int64_t row, std::int64_t column) {
        if (row < 0 || row >= h || column < 0 || column >= w) return;
        auto& here = left[static_cast<std::size_t>(row * w + column)];
        if (here) reached.emplace_back(row, column);
        here = false;
      };
      reach(y, x);
      for (std::size_t i = 0; i < reached.size(); ++i)
        for (std::int64_t dy = -1; dy <= 1; ++dy)
          for (std::int64_t dx = -1; dx <= 1; ++dx)
            reach(reached[i].first + dy, reached[i].second + dx);
      if (reached.size() <= most) continue;
      most = reached.size();
      auto [top, first] = reached[0];
      auto [bottom, last] = reached[0];
      for (const auto& [row, column] : reached) {
        top = std::min(top, row);
        bottom = std::max(bottom, row);
        first = std::min(first, column);
        last = std::max(last, column);
      }
      best = Box{first, top, last - first + 1, bottom - top + 1};
    }
  return best;
}

TEST(FindBox, SurroundsTheLargestOfSeveral) {
  const auto map = drawn({
      "9.......",  // the maximum, alone
      "....55..",
      "....565.",
      "......5.",
      "33......",
  });
  EXPECT_EQ(find_box(map), (Box{4, 1, 3, 3}));
}

TEST(FindBox, CornersTouch) {
  EXPECT_EQ(find_box(drawn({"5..", ".5.", "..5"})), (Box{0, 0, 3, 3}));
  EXPECT_EQ(find_box(drawn({"..5", ".5.", "5.."})), (Box{0, 0, 3, 3}));
  EXPECT_EQ(find_box(drawn({"5.5", "...", "5.5", ".5."})), (Box{0, 2, 3, 2}));
}

TEST(FindBox, JoinsWhatMeetsLate) {
  EXPECT_EQ(find_box(drawn({"5.5.5", "5.5.5", "55555"})), (Box{0, 0, 5, 3}));
  EXPECT_EQ(find_box(drawn({".555.", "5...5", "5.5.5", "5...5", ".555."})), (Box{0, 0, 5, 5}));
}

TEST(FindBox, TakesTheFirstOfEqualOnes) {
  EXPECT_EQ(find_box(drawn({"...55", ".....", "55..."})), (Box{3, 0, 2, 1}));
  EXPECT_EQ(find_box(drawn({"55.55"})), (Box{0, 0, 2, 1}));
  // The left one begins further down, and ends first.
  EXPECT_EQ(find_box(drawn({"....5", "5...5", "5....", "....."})), (Box{4, 0, 1, 2}));
}

TEST(FindBox, ReachesTheBorders) {
  EXPECT_EQ(find_box(drawn({"555", "555"})), (Box{0, 0, 3, 2}));
  EXPECT_EQ(find_box(drawn({"....", "...5"})), (Box{3, 1, 1, 1}));
  // The end of one row and the start of the next are no neighbours.
  EXPECT_EQ(find_box(drawn({"...5", "55.."})), (Box{0, 1, 2, 1}));
  EXPECT_EQ(find_box(drawn({"5", ".", "5", "5"})), (Box{0, 2, 1, 2}));
}

TEST(FindBox, IsAboveTheShareOfTheMaximum) {
  const auto map = drawn({"12345"});
  EXPECT_EQ(find_box(map, 0.F), (Box{0, 0, 5, 1}));
  EXPECT_EQ(find_box(map, 0.5F), (Box{2, 0, 3, 1}));
  EXPECT_EQ(find_box(map, 0.99F), (Box{4, 0, 1, 1}));
  // What equals the share is not above it.
  EXPECT_EQ(find_box(Tensor{{1, 3}, {2, 1, 4}}, 0.5F), (Box{2, 0, 1, 1}));
  EXPECT_EQ(find_box(Tensor{{1, 3}, {0.2F, 1, 0.2F}}), (Box{1, 0, 1, 1}));
}

TEST(FindBox, TheMaximumIsAboveEveryShareOfIt) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(find_box(Tensor{{1, 1}, {tiny}}, 0.9F), (Box{0, 0, 1, 1}));
  EXPECT_EQ(find_box(Tensor{{1, 1}, {3}}), (Box{0, 0, 1, 1}));
}

TEST(FindBox, NothingHasNoBox) {
  EXPECT_EQ(find_box(Tensor{{1, 1}, {0}}), std::nullopt);
  EXPECT_EQ(find_box(Tensor{{2, 2}, {0, -1, -2, 0}}), std::nullopt);
  EXPECT_EQ(find_box(Tensor{{0, 5}, {}}), std::nullopt);
  EXPECT_EQ(find_box(Tensor{{1, 2}, {kNan, kInf}}), std::nullopt);
}

TEST(FindBox, WhatIsNotFiniteIsNoPart) {
  EXPECT_EQ(find_box(Tensor{{1, 5}, {1, kNan, 1, 1, kInf}}), (Box{2, 0, 2, 1}));
}

TEST(FindBox, RefusesWhatIsNoShareAndNoMap) {
  const Tensor map{{1, 1}, {1}};
  for (const float share : {-0.1F, 1.F, 2.F, kNan, kInf})
    EXPECT_EQ(code_of([&] { find_box(map, share); }), ErrorCode::invalid_argument) << share;
  for (const auto& wrong : {Tensor{{1}, {1}}, Tensor{{1, 1, 1}, {1}}, Tensor{{1, 2}, {1}},
                            Tensor{{-1, -1}, {1}}, Tensor{{}, {1}}})
    EXPECT_EQ(code_of([&] { find_box(wrong); }), ErrorCode::invalid_argument);
}

TEST(FindBox, IsWhatAFloodFillFinds) {
  std::mt19937 random(5);
  for (int round = 0; round < 600; ++round) {
    const auto h = static_cast<std::int64_t>(random() % 17 + 1);
    const auto w = static_cast<std::int64_t>(random() % 17 + 1);
    Tensor map{{h, w}, {}};
    // From sparse to crowded: few values, so that there are ties.
    const auto empty = random() % 10;
    for (std::int64_t i = 0; i < h * w; ++i)
      map.data.push_back(random() % 10 < empty ? 0.F : static_cast<float>(random() % 5));
    for (const float share : {0.F, 0.2F, 0.5F, 0.75F})
      ASSERT_EQ(find_box(map, share), flooded(map, share)) << "round " << round;
  }
}

}  // namespace
}  // namespace fovea::api_test
