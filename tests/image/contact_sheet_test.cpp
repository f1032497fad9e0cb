#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

std::vector<std::uint8_t> pixel(const Image& image, int x, int y) {
  const auto at = image.rgb.begin() + 3 * (static_cast<std::ptrdiff_t>(y) * image.width + x);
  return {at, at + 3};
}

const std::vector<std::uint8_t> kWhite = {255, 255, 255};

TEST(SignedHeatmap, IsRedAboveAndBlueBelow) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Image image = signed_heatmap({{2, 3}, {4, -4, 0, 2, -2, nan}});
  EXPECT_EQ(pixel(image, 0, 0), (std::vector<std::uint8_t>{255, 0, 0}));
  EXPECT_EQ(pixel(image, 1, 0), (std::vector<std::uint8_t>{0, 0, 255}));
  EXPECT_EQ(pixel(image, 2, 0), kWhite);
  EXPECT_EQ(pixel(image, 0, 1), (std::vector<std::uint8_t>{255, 128, 128}));
  EXPECT_EQ(pixel(image, 1, 1), (std::vector<std::uint8_t>{128, 128, 255}));
  EXPECT_EQ(pixel(image, 2, 1), kWhite);
}

TEST(SignedHeatmap, OneOutlierDoesNotFadeTheRest) {
  Tensor map{{20, 20}, std::vector<float>(400, 1.f)};
  map.data[7] = 1000;
  EXPECT_EQ(pixel(signed_heatmap(map), 0, 0), (std::vector<std::uint8_t>{255, 0, 0}));
}

TEST(SignedHeatmap, OfNothingIsWhite) {
  const Image image = signed_heatmap({{1, 2}, {0, 0}});
  EXPECT_EQ(pixel(image, 0, 0), kWhite);
  EXPECT_THROW(signed_heatmap({{4}, std::vector<float>(4)}), Error);
}

TEST(AttributionImage, IsAroundGrey) {
  // Mean 0, deviation 1: a value of 5 is half the range.
  Tensor a{{1, 1, 2}, {-1, 1}};
  Image image = attribution_image(a);
  EXPECT_EQ(pixel(image, 0, 0), (std::vector<std::uint8_t>{102, 102, 102}));
  EXPECT_EQ(pixel(image, 1, 0), (std::vector<std::uint8_t>{153, 153, 153}));
  image = attribution_image({{3, 1, 1}, {0, 0, 0}});
  EXPECT_EQ(pixel(image, 0, 0), (std::vector<std::uint8_t>{128, 128, 128}));
  image = attribution_image({{3, 1, 1}, {-1, 0, 1}});
  EXPECT_LT(pixel(image, 0, 0)[0], pixel(image, 0, 0)[2]);
}

TEST(AttributionImage, RefusesOtherExtents) {
  EXPECT_THROW(attribution_image({{2, 1, 1}, {0, 0}}), Error);
  EXPECT_THROW(attribution_image({{1, 2}, {0, 0}}), Error);
  EXPECT_THROW(attribution_image({{3, 1, 1}, {0, 0}}), Error);
}

Image plain(int width, int height, std::uint8_t value) {
  return {width, height,
          std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height), value)};
}

TEST(ContactSheet, HoldsEveryPictureUnderItsCaption) {
  const auto sheet = contact_sheet({{{"first", plain(64, 32, 10)}, {"second", plain(64, 64, 20)}},
                                    {{"third", plain(640, 640, 30)}, {"", {}}}},
                                   64);
  const auto count = [&](std::uint8_t value) {
    std::int64_t n = 0;
    for (int y = 0; y < sheet.height; ++y)
      for (int x = 0; x < sheet.width; ++x)
        n += pixel(sheet, x, y) == std::vector<std::uint8_t>(3, value);
    return n;
  };
  // A few pixels at the edges of letters may have the same grey.
  EXPECT_NEAR(static_cast<double>(count(10)), 64 * 32, 20);
  EXPECT_NEAR(static_cast<double>(count(20)), 64 * 64, 20);
  EXPECT_NEAR(static_cast<double>(count(30)), 64 * 64, 20);
  EXPECT_EQ(sheet.width, 8 + 2 * (64 + 8));
  // Something is written above each picture, and nothing where there is none.
  const auto ink = [&](int left) {
    bool dark = false;
    for (int y = 0; y < 32; ++y)
      for (int x = left; x < left + 64; ++x) dark = dark || pixel(sheet, x, y)[0] < 100;
    return dark;
  };
  EXPECT_TRUE(ink(8));
  EXPECT_TRUE(ink(80));
}

/// The first row of the picture's grey, and how many rows have it, in a column of a sheet.
std::pair<int, int> rows_of(const Image& sheet, int x, std::uint8_t grey) {
  int first = -1, count = 0;
  for (int y = 0; y < sheet.height; ++y) {
    if (pixel(sheet, x, y) != std::vector<std::uint8_t>(3, grey)) continue;
    if (first < 0) first = y;
    ++count;
  }
  return {first, count};
}

TEST(ContactSheet, WrapsACaptionAndCutsWhatIsTooLong) {
  const auto sheet_of = [](const std::string& caption) {
    return contact_sheet({{{caption, plain(64, 8, 10)}, {"b", plain(64, 8, 20)}}}, 64);
  };
  const auto one = sheet_of("one"), two = sheet_of("one two three"),
             cut = sheet_of(std::string(200, 'W'));
  EXPECT_GT(two.height, one.height + 10);
  EXPECT_GT(cut.height, two.height + 10);
  EXPECT_LT(cut.height, one.height + 70);
  for (const auto* sheet : {&one, &two, &cut}) {
    // Pictures stand side by side, and no text beyond its own.
    EXPECT_EQ(rows_of(*sheet, 8 + 32, 10).first, rows_of(*sheet, 80 + 32, 20).first);
    EXPECT_EQ(rows_of(*sheet, 8 + 32, 10).second, 8);
    for (int y = 0; y < sheet->height; ++y)
      for (int x = 72; x < 80; ++x) EXPECT_EQ(pixel(*sheet, x, y), kWhite);
  }
}

TEST(ContactSheet, TellsWhatNoFontHas) {
  const auto drawing = draw_sheet({{{"\xF4\x8F\xBF\xB0 and a", plain(64, 8, 10)}}}, 64);
  ASSERT_EQ(drawing.warnings.size(), 1U);
  EXPECT_NE(drawing.warnings[0].find("U+10FFF0"), std::string::npos) << drawing.warnings[0];
  EXPECT_EQ(drawing.image.rgb,
            contact_sheet({{{"\xF4\x8F\xBF\xB0 and a", plain(64, 8, 10)}}}, 64).rgb);
  EXPECT_TRUE(draw_sheet({{{"a \xCE\xB3\xCE\xAC\xFF", plain(64, 8, 10)}}}, 64).warnings.empty());
}

TEST(ContactSheet, HasABarAndANoteBelowAPicture) {
  SheetCell cell{"a", plain(64, 8, 10), ColorScale{Colormap::viridis, 0, 2}, "a note"};
  const auto bare = contact_sheet({{{"a", plain(64, 8, 10)}}}, 64);
  const auto with_bar = contact_sheet({{{cell.caption, cell.image, cell.scale}}}, 64);
  const auto both = contact_sheet({{cell}}, 64);
  EXPECT_GT(with_bar.height, bare.height + 10);
  EXPECT_GT(both.height, with_bar.height + 10);
  const auto ends = heatmap({{1, 2}, {0, 1}}, Colormap::viridis);
  const auto [top, count] = rows_of(both, 8 + 32, 10);
  EXPECT_EQ(pixel(both, 8, top + count + 4), pixel(ends, 0, 0));
  EXPECT_EQ(pixel(both, 8 + 63, top + count + 4), pixel(ends, 1, 0));
}

TEST(Fitted, IsAsLargeAsTheRoomAllows) {
  Image checks{6, 4, {}};
  for (int i = 0; i < 24; ++i)
    for (int c = 0; c < 3; ++c) checks.rgb.push_back(i % 6 < 3 ? 100 : 200);
  const auto half = fitted(checks, 3, 100);
  EXPECT_EQ(half.width, 3);
  EXPECT_EQ(half.height, 2);
  EXPECT_EQ(pixel(half, 0, 0), (std::vector<std::uint8_t>{100, 100, 100}));
  EXPECT_EQ(pixel(half, 1, 1), (std::vector<std::uint8_t>{150, 150, 150}));
  EXPECT_EQ(fitted(checks, 100, 2).width, 3);
  EXPECT_EQ(fitted(checks, 6, 4).rgb, checks.rgb);
  EXPECT_EQ(fitted(checks, 1000, 1000).rgb, checks.rgb);
  EXPECT_EQ(fitted(plain(640, 2, 1), 64, 64).height, 1);
  EXPECT_THROW(fitted(checks, 0, 4), Error);
  EXPECT_THROW(fitted({6, 4, {}}, 3, 4), Error);
}

TEST(ContactSheet, RefusesWhatIsNoSheet) {
  EXPECT_THROW(contact_sheet({}, 64), Error);
  EXPECT_THROW(contact_sheet({{}}, 64), Error);
  EXPECT_THROW(contact_sheet({{{"a", plain(8, 8, 0)}}}, 31), Error);
  EXPECT_THROW(
      contact_sheet({{{"a", {8, 8, {}}}, {"b", {8, 8, std::vector<std::uint8_t>(5)}}}}, 64), Error);
  EXPECT_THROW(contact_sheet({std::vector<SheetCell>(400, {"a", plain(8, 8, 0)})}, 64), Error);
  EXPECT_THROW(contact_sheet({{{"a", plain(8, 8, 0), ColorScale{Colormap::jet, 1, 0}}}}, 64),
               Error);
}

}  // namespace
}  // namespace fovea::image::test
