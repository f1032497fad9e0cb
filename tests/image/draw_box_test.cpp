#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

constexpr std::uint8_t kGrey = 128;

Image grey(int width, int height) {
  Image image{width, height, {}};
  image.rgb.assign(static_cast<std::size_t>(3 * width * height), kGrey);
  return image;
}

/// A row of text per row of pixels: '#' white, '.' black, ' ' the picture's own.
std::vector<std::string> seen(const Image& image) {
  std::vector<std::string> rows;
  for (int y = 0; y < image.height; ++y) {
    rows.emplace_back();
    for (int x = 0; x < image.width; ++x) {
      const auto* pixel = image.rgb.data() + 3 * (y * image.width + x);
      const bool same = std::all_of(pixel, pixel + 3, [&](auto v) { return v == pixel[0]; });
      rows.back() += !same             ? '?'
                     : *pixel == 255   ? '#'
                     : *pixel == 0     ? '.'
                     : *pixel == kGrey ? ' '
                                       : '?';
    }
  }
  return rows;
}

using Rows = std::vector<std::string>;

TEST(DrawBox, OutlinesItOnBothSides) {
  EXPECT_EQ(seen(draw_box(grey(8, 7), {2, 1, 4, 5})), (Rows{
                                                          " ...... ",
                                                          " .####. ",
                                                          " .#  #. ",
                                                          " .#  #. ",
                                                          " .#  #. ",
                                                          " .####. ",
                                                          " ...... ",
                                                      }));
}

TEST(DrawBox, StaysWithinThePicture) {
  EXPECT_EQ(seen(draw_box(grey(4, 3), {0, 0, 4, 3})), (Rows{"####", "#  #", "####"}));
  EXPECT_EQ(seen(draw_box(grey(4, 3), {2, 2, 2, 1})), (Rows{"    ", " ...", " .##"}));
  EXPECT_EQ(seen(draw_box(grey(1, 1), {0, 0, 1, 1})), (Rows{"#"}));
}

TEST(DrawBox, ASmallOneIsFilled) {
  EXPECT_EQ(seen(draw_box(grey(5, 5), {2, 2, 1, 1}, {.line = 2})),
            (Rows{".....", ".....", "..#..", ".....", "....."}));
  EXPECT_EQ(seen(draw_box(grey(5, 4), {1, 1, 3, 2})), (Rows{".....", ".###.", ".###.", "....."}));
}

TEST(DrawBox, TheLineGrowsWithThePicture) {
  const auto thickness = [](const Image& image, int y) {
    int count = 0;
    for (int x = 0; x < image.width; ++x)
      count += image.rgb[static_cast<std::size_t>(3 * (y * image.width + x))] == 255;
    return count / 2;
  };
  for (const auto& [width, height, line] :
       {std::array{100, 90, 1}, {479, 600, 1}, {480, 600, 2}, {1600, 1200, 5}})
    EXPECT_EQ(thickness(draw_box(grey(width, height), {20, 20, 60, 60}), 50), line) << width;
  EXPECT_EQ(thickness(draw_box(grey(100, 90), {20, 20, 60, 60}, {.line = 7}), 50), 7);
}

TEST(DrawBox, HasTheColoursItIsTold) {
  const BoxStyle style{1, {1, 2, 3}, {4, 5, 6}};
  const auto image = draw_box(grey(3, 1), {1, 0, 2, 1}, style);
  EXPECT_EQ(image.rgb, (std::vector<std::uint8_t>{4, 5, 6, 1, 2, 3, 1, 2, 3}));
}

TEST(DrawBox, RefusesWhatIsNotInThePicture) {
  constexpr std::int64_t kFar = std::int64_t{1} << 62;
  for (const Box& box :
       {Box{}, Box{0, 0, 5, 4}, Box{0, 0, 4, 5}, Box{-1, 0, 2, 2}, Box{0, -1, 2, 2},
        Box{4, 0, 1, 1}, Box{0, 0, 0, 1}, Box{0, 0, 1, -1}, Box{kFar, 0, kFar, 1}})
    EXPECT_THROW(draw_box(grey(4, 4), box), Error);
  EXPECT_THROW(draw_box(grey(4, 4), {0, 0, 1, 1}, {.line = -1}), Error);
  EXPECT_THROW(draw_box({4, 4, {}}, {0, 0, 1, 1}), Error);
}

}  // namespace
}  // namespace fovea::image::test
