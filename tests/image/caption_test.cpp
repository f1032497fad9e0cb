#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

std::vector<std::uint8_t> pixel(const Image& image, int x, int y) {
  const auto at = image.rgb.begin() + 3 * (static_cast<std::ptrdiff_t>(y) * image.width + x);
  return {at, at + 3};
}

/// Rows [from, to) and columns [left, right).
std::vector<std::uint8_t> part(const Image& image, int left, int right, int from, int to) {
  std::vector<std::uint8_t> out;
  for (int y = from; y < to; ++y)
    for (int x = left; x < right; ++x) {
      const auto p = pixel(image, x, y);
      out.insert(out.end(), p.begin(), p.end());
    }
  return out;
}

bool has_ink(const std::vector<std::uint8_t>& pixels) {
  return std::any_of(pixels.begin(), pixels.end(), [](auto v) { return v < 128; });
}

// Half an em of 13 pixels.
constexpr int kMargin = 6;

TEST(Captioned, KeepsThePictureAndAddsWhatStandsUnderIt) {
  const Image picture = noise(300, 40, 1);
  const auto plain = captioned(picture, {}).image;
  EXPECT_EQ(plain.width, 300);
  EXPECT_EQ(part(plain, 0, 300, 0, 40), picture.rgb);
  const auto one = captioned(picture, {{}, {"a line"}}).image;
  const auto two = captioned(picture, {{}, {"a line", "and another"}}).image;
  EXPECT_EQ(part(two, 0, 300, 0, 40), picture.rgb);
  EXPECT_TRUE(has_ink(part(one, 0, 300, 40, one.height)));
  EXPECT_GT(two.height, one.height + 10);
  // The same line at the same place.
  EXPECT_EQ(part(one, 0, 300, 40, one.height - kMargin),
            part(two, 0, 300, 40, one.height - kMargin));
  // Text wraps within the picture's width.
  const auto wrapped = captioned(picture, {{}, {std::string(80, 'w')}}).image;
  EXPECT_EQ(wrapped.width, 300);
  EXPECT_FALSE(has_ink(part(wrapped, 300 - kMargin, 300, 40, wrapped.height)));
}

TEST(Captioned, WidensWhatIsNarrow) {
  const Image picture = noise(28, 28, 1);
  const auto out = captioned(picture, {{}, {"digit 7 (class 7)"}}).image;
  EXPECT_EQ(out.width, 240);
  EXPECT_EQ(part(out, 0, 28, 0, 28), picture.rgb);
  EXPECT_EQ(pixel(out, 28, 0), (std::vector<std::uint8_t>{255, 255, 255}));
}

TEST(Captioned, WritesLargerUnderALargerPicture) {
  const Caption caption{{}, {"a line"}};
  const auto height = [&](int width) {
    return captioned(noise(width, 1, 1), caption).image.height;
  };
  EXPECT_EQ(height(300), height(500));
  EXPECT_GT(height(1800), 2 * height(500));
  EXPECT_EQ(captioned(noise(300, 1, 1), caption, {40}).image.height, height(1800));
}

TEST(ColorBar, HasTheEndsOfItsColours) {
  for (const auto colormap :
       {Colormap::jet, Colormap::turbo, Colormap::viridis, Colormap::inferno}) {
    const auto out = captioned(noise(300, 40, 1), {ColorScale{colormap, 0, 1}, {}}).image;
    const auto colours = heatmap({{1, 3}, {0, 0.5F, 1}}, colormap);
    const int y = 40 + kMargin;
    EXPECT_EQ(pixel(out, kMargin, y), pixel(colours, 0, 0));
    EXPECT_EQ(pixel(out, 300 - kMargin - 1, y), pixel(colours, 2, 0));
    // Between them every value at its place: 288 columns, of which the last is 1.
    Tensor ramp{{1, 288}, {}};
    for (int x = 0; x < 288; ++x) ramp.data.push_back(static_cast<float>(x / 287.0));
    EXPECT_EQ(part(out, kMargin, 300 - kMargin, y, y + 1), heatmap(ramp, colormap).rgb);
    EXPECT_EQ(part(out, kMargin, 300 - kMargin, y + 5, y + 6), heatmap(ramp, colormap).rgb);
  }
}

TEST(ColorBar, OfSignedMapsIsBlueWhiteRed) {
  const auto out = captioned(noise(301, 40, 1), {ColorScale{Colormap::red_blue, -3, 3}, {}}).image;
  const int y = 40 + kMargin;
  EXPECT_EQ(pixel(out, kMargin, y), (std::vector<std::uint8_t>{0, 0, 255}));
  EXPECT_EQ(pixel(out, 150, y), (std::vector<std::uint8_t>{255, 255, 255}));
  EXPECT_EQ(pixel(out, 301 - kMargin - 1, y), (std::vector<std::uint8_t>{255, 0, 0}));
}

// The numbers are text as any other: what is under the bar is what a caption of those numbers is.
TEST(ColorBar, HasTheNumbersOfItsEnds) {
  const auto under = [](double low, double high) {
    return captioned(noise(300, 40, 1), {ColorScale{Colormap::jet, low, high}, {}}).image;
  };
  const auto written = [](const std::string& text) {
    return captioned(noise(300, 40, 1), {{}, {text}}).image;
  };
  // The bar is 7 high, 2 above its numbers.
  const int numbers = 40 + kMargin + 7 + 2;
  const auto same = [&](const Image& bar, const std::string& low) {
    const auto text = written(low);
    const int line = text.height - 40 - 2 * kMargin;
    return part(bar, kMargin, kMargin + 60, numbers, numbers + line) ==
           part(text, kMargin, kMargin + 60, 40 + kMargin, 40 + kMargin + line);
  };
  EXPECT_TRUE(same(under(0, 1), "0"));
  EXPECT_TRUE(same(under(-0.0, 1), "0"));
  EXPECT_TRUE(same(under(0.123456, 1), "0.123"));
  EXPECT_TRUE(same(under(-1234.5, 1), "-1.23e+03"));
  EXPECT_FALSE(same(under(0.5, 1), "0.4"));
  // The upper end, at the right.
  const auto right = [&](double high) {
    return part(under(0, high), 200, 300 - kMargin, numbers, numbers + 12);
  };
  EXPECT_NE(right(1), right(2));
  EXPECT_TRUE(has_ink(right(1)));
}

TEST(ColorBar, HasZeroBetweenItsEnds) {
  const int numbers = 40 + kMargin + 7 + 2;
  const auto middle = [&](double low, double high) {
    const auto out = captioned(noise(300, 40, 1), {ColorScale{Colormap::jet, low, high}, {}}).image;
    return has_ink(part(out, 140, 160, numbers, numbers + 12));
  };
  EXPECT_TRUE(middle(-2, 2));
  EXPECT_FALSE(middle(0, 2));
  EXPECT_FALSE(middle(1, 2));
  EXPECT_FALSE(middle(-1, 9));
}

TEST(Captioned, TellsWhatNoFontHas) {
  const auto out = captioned(noise(300, 4, 1), {{}, {"\xF4\x8F\xBF\xB0"}});
  ASSERT_EQ(out.warnings.size(), 1U);
  EXPECT_NE(out.warnings[0].find("U+10FFF0"), std::string::npos);
  EXPECT_TRUE(has_ink(part(out.image, 0, 40, 4, out.image.height)));
}

TEST(Captioned, RefusesWhatIsNoCaption) {
  const Image picture = noise(300, 4, 1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{
           {1, 0}, {nan, 1}, {0, nan}, {0, infinity}, {-infinity, 0}})
    EXPECT_THROW(captioned(picture, {ColorScale{Colormap::jet, low, high}, {}}), Error);
  EXPECT_NO_THROW(captioned(picture, {ColorScale{Colormap::jet, 0, 0}, {}}));
  EXPECT_THROW(captioned(picture, {}, {5}), Error);
  EXPECT_THROW(captioned(picture, {}, {-1}), Error);
  EXPECT_THROW(captioned(picture, {}, {100000}), Error);
  EXPECT_THROW(captioned(noise(8, 16384, 1), {{}, {"a"}}), Error);
  EXPECT_THROW(captioned({8, 8, {}}, {}), Error);
}

}  // namespace
}  // namespace fovea::image::test
