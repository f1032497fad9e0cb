#include "slices.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace fovea::cli {
namespace {

using Places = std::vector<std::int64_t>;

/// Each voxel by its index.
Tensor counted(Shape shape) {
  Tensor out{std::move(shape), {}};
  out.data.resize(static_cast<std::size_t>(out.shape[0] * out.shape[1] * out.shape[2]));
  std::iota(out.data.begin(), out.data.end(), 0.F);
  return out;
}

TEST(Slices, AreEvenlySpacedAndThatOfThePeakIsAmongThem) {
  EXPECT_EQ(Slices({4, 6, 8}, std::nullopt).places(), (Places{0, 1, 2, 3}));
  EXPECT_EQ(Slices({4, 6, 8}, Shape{2, 0, 0}).places(), (Places{0, 1, 2, 3}));
  for (const std::int64_t depth : {1, 19, 20, 21, 25, 64, 155, 512, 4000})
    for (std::int64_t peak = 0; peak < depth; peak += 1 + depth / 37) {
      const auto places = Slices({depth, 3, 3}, Shape{peak, 1, 1}).places();
      ASSERT_LE(places.size(), 20U) << depth;
      ASSERT_GE(places.size(), depth < 20 ? static_cast<std::size_t>(depth) : 10U) << depth;
      EXPECT_EQ(std::count(places.begin(), places.end(), peak), 1) << depth << " " << peak;
      const auto step = places.size() > 1 ? places[1] - places[0] : depth;
      for (std::size_t i = 1; i < places.size(); ++i) ASSERT_EQ(places[i] - places[i - 1], step);
      EXPECT_LT(places.front(), step);
      EXPECT_GE(places.back() + step, depth);
    }
  EXPECT_EQ(Slices({64, 3, 3}, Shape{13, 0, 0}, 1).places(), (Places{13}));
}

TEST(Slices, AreSaidInWords) {
  EXPECT_EQ(Slices({4, 6, 8}, Shape{2, 0, 0}, 5).text("the middle"), "all 4");
  EXPECT_EQ(Slices({64, 3, 3}, Shape{28, 0, 0}, 5).text(),
            "2, 15, 28, 41, 54 of 64, evenly spaced");
  EXPECT_EQ(Slices({64, 3, 3}, Shape{28, 0, 0}, 5).text("the maximum of lrp"),
            "2, 15, 28, 41, 54 of 64, evenly spaced, through the maximum of lrp");
}

TEST(Slices, LieOneBelowTheOther) {
  const Slices slices({25, 2, 3}, Shape{7, 0, 0});
  const auto stacked = slices.stacked(counted({25, 2, 3}));
  ASSERT_EQ(stacked.shape, (Shape{2 * static_cast<std::int64_t>(slices.places().size()), 3}));
  for (std::size_t i = 0; i < slices.places().size(); ++i)
    for (std::size_t p = 0; p < 6; ++p)
      EXPECT_EQ(stacked.data[6 * i + p],
                static_cast<float>(6 * slices.places()[i]) + static_cast<float>(p));
}

TEST(Slices, OfManyVoxelsAreMeans) {
  const Shape shape{2, 3, 1030};  // three voxels to a pixel, the last of one
  const auto stacked = Slices(shape, std::nullopt).stacked(counted(shape));
  ASSERT_EQ(stacked.shape, (Shape{2, 344}));
  EXPECT_EQ(stacked.data[0], 1031.F);             // rows 0 to 2, columns 0 to 2
  EXPECT_EQ(stacked.data[343], 1029.F + 1030.F);  // the last column alone
  EXPECT_EQ(stacked.data[344], 1031.F + 3090.F);
}

TEST(Slices, StayWithinTheSheet) {
  const Slices slices({300, 700, 900}, Shape{1, 0, 0});
  const auto stacked = slices.stacked(Tensor{{300, 700, 900}, std::vector<float>(300 * 700 * 900)});
  const auto sheet = slices.sheet(heatmap(stacked));
  EXPECT_LE(sheet.width, 5 * (256 + 8) + 8);
  EXPECT_LE(sheet.height, 4 * (256 + 24 + 8) + 8);
}

TEST(Slices, OfATensorAreGreyOrOfItsColours) {
  const Shape volume{2, 1, 2};
  const Slices slices(volume, std::nullopt);
  const std::vector<float> one{0, 5, 10, 20};
  const auto grey = stacked_slices({{1, 1, 2, 1, 2}, one}, volume, 0, slices);
  ASSERT_TRUE(grey);
  EXPECT_EQ(grey->rgb,
            (std::vector<std::uint8_t>{0, 0, 0, 64, 64, 64, 128, 128, 128, 255, 255, 255}));
  // Two channels: their mean, between the lowest and the highest of both. The second image of two.
  std::vector<float> two(8, 7.F);
  two.insert(two.end(), {0, 10, 20, 20, 0, 20, 0, 20});
  const auto mean = stacked_slices({{2, 2, 2, 1, 2}, two}, volume, 1, slices);
  ASSERT_TRUE(mean);
  EXPECT_EQ(mean->rgb[0], 0);
  EXPECT_EQ(mean->rgb[3], 191);
  EXPECT_EQ(mean->rgb[6], 128);
  EXPECT_EQ(mean->rgb[9], 255);
  // Channels last, three of them: colours.
  const auto coloured =
      stacked_slices({{1, 2, 1, 2, 3}, {0, 1, 2, 0, 0, 0, 2, 2, 2, 2, 0, 1}}, volume, 0, slices);
  ASSERT_TRUE(coloured);
  EXPECT_EQ(coloured->rgb,
            (std::vector<std::uint8_t>{0, 128, 255, 0, 0, 0, 255, 255, 255, 255, 0, 128}));
  EXPECT_FALSE(stacked_slices({{1, 1, 2, 2, 2}, std::vector<float>(8)}, volume, 0, slices));
  EXPECT_FALSE(stacked_slices({{1, 4}, one}, volume, 0, slices));
  EXPECT_FALSE(stacked_slices({{1, 1, 2, 1, 2}, one}, volume, 1, slices));
}

}  // namespace
}  // namespace fovea::cli
