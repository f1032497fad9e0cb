#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

constexpr Colormap kColormaps[] = {Colormap::jet, Colormap::turbo, Colormap::viridis,
                                   Colormap::inferno};

TEST(Heatmap, HasOpenCvsColours) {
  const auto expected = golden_pictures("colormaps.ppm");
  Tensor ramp{{1, 256}, {}};
  for (int i = 0; i < 256; ++i) ramp.data.push_back((static_cast<float>(i) + 0.5f) / 255);
  for (std::size_t k = 0; k < std::size(kColormaps); ++k)
    EXPECT_EQ(largest_difference(heatmap(ramp, kColormaps[k]), expected.at(k)), 0) << k;
}

// Entries 0, 128 and 255 of matplotlib's tables, whose maps these are.
TEST(Heatmap, UniformMapsAreMatplotlibs) {
  const Tensor map{{1, 3}, {0, 128.5F / 255, 1}};
  const auto expect = [&](Colormap colormap, std::vector<int> colours) {
    const Image image = heatmap(map, colormap);
    for (std::size_t i = 0; i < colours.size(); ++i)
      EXPECT_NEAR(image.rgb[i], colours[i], 1) << static_cast<int>(colormap) << " " << i;
  };
  expect(Colormap::viridis, {68, 1, 84, 33, 145, 140, 253, 231, 37});
  expect(Colormap::inferno, {0, 0, 4, 188, 55, 84, 252, 255, 164});
  expect(Colormap::magma, {0, 0, 4, 183, 55, 121, 252, 253, 191});
  expect(Colormap::plasma, {13, 8, 135, 204, 71, 120, 240, 249, 33});
  expect(Colormap::cividis, {0, 34, 78, 125, 124, 120, 254, 232, 56});
}

TEST(Heatmap, WhatIsNotSeenHasAColourOfItsOwn) {
  Tensor ramp{{1, 513}, {}};
  for (int i = -256; i <= 256; ++i) ramp.data.push_back(static_cast<float>(i) / 256);
  for (const auto colormap :
       {Colormap::jet, Colormap::turbo, Colormap::viridis, Colormap::inferno, Colormap::magma,
        Colormap::plasma, Colormap::cividis, Colormap::red_blue}) {
    const auto colours = heatmap(ramp, colormap).rgb;
    for (std::size_t i = 0; i < colours.size(); i += 3)
      ASSERT_FALSE(std::equal(kUnseen.begin(), kUnseen.end(), colours.begin() + i))
          << static_cast<int>(colormap) << " " << i;
  }
}

TEST(Heatmap, RedIsForAndBlueAgainst) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Image image = heatmap({{1, 5}, {-2, -0.5F, nan, 0.2F, 1}}, Colormap::red_blue);
  EXPECT_EQ(image.rgb, (std::vector<std::uint8_t>{0, 0, 255, 128, 128, 255, 255, 255, 255, 255, 204,
                                                  204, 255, 0, 0}));
}

TEST(Heatmap, FullScaleIsAPercentileOfMagnitudes) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Tensor map{{3, 7, 5}, {}};
  for (int i = 1; i <= 101; ++i) map.data.push_back(static_cast<float>(i % 2 == 0 ? -i : i));
  map.data.insert(map.data.end(), {nan, nan, std::numeric_limits<float>::infinity(), nan});
  EXPECT_EQ(full_scale(map), 100);
  EXPECT_EQ(full_scale(map, 100), 101);
  EXPECT_EQ(full_scale(map, 50), 51);
  EXPECT_EQ(full_scale(map, 0), 1);
  EXPECT_EQ(full_scale({{2}, {nan, nan}}), 0);
  EXPECT_EQ(full_scale({{4}, {0, 0, 0, -2}}, 50), 2) << "nothing would have a colour";
  EXPECT_THROW(full_scale(map, 100.5), Error);
  EXPECT_THROW(full_scale(map, std::nan("")), Error);
}

TEST(Overlay, WeightFollowsTheValueWhereAsked) {
  Tensor map{{1, 7}, {-3, -1, -0.25F, 0, 0.25F, 0.75F, 2}};
  map.data.push_back(std::numeric_limits<float>::quiet_NaN());
  map.shape[1] = 8;
  const Image photo = noise(8, 1, 8);
  for (const auto colormap : {Colormap::viridis, Colormap::red_blue})
    for (const double alpha : {0.0, 0.25, 0.5, 1.0}) {
      OverlayOptions options{alpha, colormap};
      options.by_value = true;
      const Image heat = heatmap(map, colormap), got = overlay(photo, map, options);
      for (std::size_t i = 0; i < 8; ++i) {
        const bool is_signed = colormap == Colormap::red_blue;
        const double v =
            std::isnan(map.data[i]) ? 0 : std::clamp<double>(map.data[i], is_signed ? -1 : 0, 1);
        const double weight = std::min(1.0, 2 * alpha * std::abs(v));
        for (std::size_t c = 0; c < 3; ++c) {
          const double colour = !is_signed ? heat.rgb[3 * i + c] : c == (v < 0 ? 2U : 0U) ? 255 : 0;
          ASSERT_NEAR(got.rgb[3 * i + c],
                      std::floor((1 - weight) * photo.rgb[3 * i + c] + weight * colour + 0.5), 1e-9)
              << i << " " << alpha;
        }
      }
    }
}

TEST(Overlay, APalePhotoIsGreyHalfWayToWhite) {
  const Image photo = noise(5, 4, 9);
  OverlayOptions options{.alpha = 0};
  options.pale = true;
  const Image got = overlay(photo, {{4, 5}, std::vector<float>(20)}, options);
  for (std::size_t i = 0; i < 20; ++i) {
    const double grey =
        0.299 * photo.rgb[3 * i] + 0.587 * photo.rgb[3 * i + 1] + 0.114 * photo.rgb[3 * i + 2];
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(got.rgb[3 * i + c], (grey + 255) / 2, 1);
  }
}

TEST(Enlarged, RepeatsPixels) {
  const Image small{2, 1, {1, 2, 3, 4, 5, 6}};
  const Image large = enlarged(small, 2);
  EXPECT_EQ(large.width, 4);
  EXPECT_EQ(large.height, 2);
  const std::vector<std::uint8_t> row{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6};
  EXPECT_EQ(std::vector(large.rgb.begin(), large.rgb.begin() + 12), row);
  EXPECT_EQ(std::vector(large.rgb.begin() + 12, large.rgb.end()), row);
  EXPECT_EQ(enlarged(small, 1).rgb, small.rgb);
  EXPECT_THROW(enlarged(small, 0), Error);
  EXPECT_THROW(enlarged(small, 1 << 30), Error);
}

TEST(Heatmap, JetGoesFromBlueToRed) {
  const Image image = heatmap({{1, 2}, {0, 1}});
  EXPECT_EQ(image.rgb, (std::vector<std::uint8_t>{0, 0, 128, 128, 0, 0}));
}

TEST(Heatmap, ClampsAndDrawsNanAsZero) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Image odd = heatmap({{2, 3}, {-1, -inf, nan, 2, inf, 1}});
  const Image plain = heatmap({{2, 3}, {0, 0, 0, 1, 1, 1}});
  EXPECT_EQ(largest_difference(odd, plain), 0);
}

TEST(Heatmap, RefusesWhatIsNoMap) {
  EXPECT_THROW(heatmap({{4}, std::vector<float>(4)}), Error);
  EXPECT_THROW(heatmap({{2, 2}, std::vector<float>(5)}), Error);
  EXPECT_THROW(heatmap({{1, 20000}, std::vector<float>(20000)}), Error);
  EXPECT_THROW(heatmap({{1, 1}, {0}}, static_cast<Colormap>(17)), Error);
}

TEST(Overlay, IsTheRoundedMixture) {
  for (const auto& [width, height] : {std::pair{1, 1}, {37, 5}, {300, 211}}) {
    const Image photo = noise(width, height, 1);
    Tensor map{{height, width}, {}};
    Random random(2);
    for (int i = 0; i < width * height; ++i) map.data.push_back(random.uniform());
    for (const double alpha : {0.0, 0.25, 0.5, 0.75, 1.0, 0.3}) {
      const OverlayOptions options{alpha, Colormap::viridis};
      const Image heat = heatmap(map, options.colormap);
      const Image got = overlay(photo, map, options);
      ASSERT_EQ(got.rgb.size(), photo.rgb.size());
      for (std::size_t i = 0; i < got.rgb.size(); ++i) {
        const double expected = std::floor((1 - alpha) * photo.rgb[i] + alpha * heat.rgb[i] + 0.5);
        // 0.3 is no float: a sum that ends in .5 may fall to either side.
        ASSERT_NEAR(got.rgb[i], expected, alpha == 0.3 ? 1 : 0) << alpha;
      }
    }
  }
}

TEST(Overlay, RefusesWhatDoesNotFit) {
  const Image photo = noise(4, 3, 3);
  const Tensor map{{3, 4}, std::vector<float>(12)};
  const auto code = [&](const Image& image, const Tensor& values, double alpha) {
    try {
      overlay(image, values, {alpha, Colormap::jet});
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  EXPECT_EQ(code(photo, map, 0.5), ErrorCode::internal) << "no error";
  const auto invalid = ErrorCode::invalid_argument;
  EXPECT_EQ(code(photo, {{4, 3}, map.data}, 0.5), invalid);
  EXPECT_EQ(code(photo, {{3, 4}, {}}, 0.5), invalid);
  EXPECT_EQ(code({4, 3, {}}, map, 0.5), invalid);
  for (const double alpha : {-0.1, 1.1, std::nan("")}) EXPECT_EQ(code(photo, map, alpha), invalid);
}

// Maps of odd extents, views that cover the photo, a part of it, more than it and none of it.
class OnPhoto : public testing::TestWithParam<View> {
 protected:
  static constexpr int kWidth = 517, kHeight = 388;

  static bool sees(int x, int y) {
    const auto& [x0, y0, x1, y1] = GetParam();
    return x0 <= x + 0.5 && x + 0.5 < x1 && y0 <= y + 0.5 && y + 0.5 < y1;
  }

  static std::array<std::uint8_t, 3> pixel_of(const Image& image, std::size_t pixel) {
    return {image.rgb[3 * pixel], image.rgb[3 * pixel + 1], image.rgb[3 * pixel + 2]};
  }

  /// `beside(pixel)` in the place of what the view does not show.
  template <class Beside>
  static Image where_seen(Image picture, Beside&& beside) {
    for (int y = 0; y < kHeight; ++y)
      for (int x = 0; x < kWidth; ++x) {
        if (sees(x, y)) continue;
        const auto pixel = static_cast<std::size_t>(y * kWidth + x);
        const std::array<std::uint8_t, 3> other = beside(pixel);
        for (std::size_t c = 0; c < 3; ++c) picture.rgb[3 * pixel + c] = other[c];
      }
    return picture;
  }

  static Tensor some_map(std::int64_t h, std::int64_t w, float low) {
    Tensor map{{h, w}, {}};
    Random random(static_cast<std::uint32_t>(10 * h + w));
    for (std::int64_t i = 0; i < h * w; ++i) map.data.push_back(low + (1 - low) * random.uniform());
    return map;
  }
};

TEST_P(OnPhoto, HeatmapAndOverlayAreThoseOfTheMapAtThePhotosSize) {
  const Image photo = noise(kWidth, kHeight, 4);
  for (const auto& [h, w] : {std::pair{7, 7}, {1, 1}, {13, 4}, {600, 700}}) {
    const Tensor map = some_map(h, w, 0);
    const Tensor large = map_on_photo(map, GetParam(), kWidth, kHeight);
    const auto over = overlay(photo, large, {0.3, Colormap::jet});
    const auto heat = heatmap(large, Colormap::turbo);
    EXPECT_EQ(heatmap(map, GetParam(), kWidth, kHeight, Colormap::turbo).rgb,
              where_seen(heat, [](auto) { return kUnseen; }).rgb);
    EXPECT_EQ(overlay(photo, map, {0.3, Colormap::jet, GetParam()}).rgb,
              where_seen(over, [&](std::size_t pixel) { return pixel_of(photo, pixel); }).rgb);
  }
}

// Every way of drawing leaves the photo as it is beside the view, and draws the same within it as
// over a map of the photo's size.
TEST_P(OnPhoto, WhatIsNotSeenStaysThePhoto) {
  const Image photo = noise(kWidth, kHeight, 6);
  const Tensor map = some_map(7, 9, -1);
  const Tensor large = map_on_photo(map, GetParam(), kWidth, kHeight);
  for (const auto colormap : {Colormap::jet, Colormap::red_blue})
    for (const bool by_value : {false, true})
      for (const bool pale : {false, true}) {
        OverlayOptions options{.alpha = 0.4, .colormap = colormap};
        options.by_value = by_value;
        options.pale = pale;
        const auto whole = overlay(photo, large, options);
        options.view = GetParam();
        const auto expected =
            where_seen(whole, [&](std::size_t pixel) { return pixel_of(photo, pixel); });
        EXPECT_EQ(overlay(photo, map, options).rgb, expected.rgb) << by_value << pale;
      }
}

TEST_P(OnPhoto, SeenIsWhoseCentreLiesInTheView) {
  const auto box = seen_box(GetParam(), kWidth, kHeight);
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      const bool in_box =
          box && box->x <= x && x < box->x + box->width && box->y <= y && y < box->y + box->height;
      ASSERT_EQ(in_box, sees(x, y)) << x << " " << y;
    }
}

TEST_P(OnPhoto, TheFrameLiesWithinWhatIsSeen) {
  const Image photo = noise(kWidth, kHeight, 7);
  const auto framed = draw_frame(photo, GetParam(), {.line = 2});
  const auto box = seen_box(GetParam(), kWidth, kHeight);
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      // How far within it is from the nearest side that is not the photo's own.
      int depth = 1000;
      if (box && box->x > 0) depth = std::min(depth, x - static_cast<int>(box->x));
      if (box && box->y > 0) depth = std::min(depth, y - static_cast<int>(box->y));
      if (box && box->x + box->width < kWidth)
        depth = std::min(depth, static_cast<int>(box->x + box->width) - 1 - x);
      if (box && box->y + box->height < kHeight)
        depth = std::min(depth, static_cast<int>(box->y + box->height) - 1 - y);
      const auto i = static_cast<std::size_t>(y * kWidth + x);
      auto expected = pixel_of(photo, i);
      if (depth == 0 || depth == 1) expected = {255, 255, 255};
      if (depth == 2 || depth == 3) expected = {0, 0, 0};
      ASSERT_EQ(pixel_of(framed, i), expected) << x << " " << y;
    }
}

TEST_P(OnPhoto, PeakIsTheFirstMaximumOfTheMapAtThePhotosSize) {
  // The last one is negative: 0 outside the view is not its peak.
  for (const float low : {0.0f, -1.0f, -3.0f})
    for (const auto& [h, w] : {std::pair{7, 7}, {1, 1}, {13, 4}}) {
      Tensor map = some_map(h, w, low);
      if (low < -2)
        for (auto& value : map.data) value -= 2;
      const Tensor large = map_on_photo(map, GetParam(), kWidth, kHeight);
      std::int64_t at = -1;
      for (std::int64_t i = 0; i < kWidth * kHeight; ++i) {
        const float value = large.data[static_cast<std::size_t>(i)];
        if (value != 0 && (at < 0 || value > large.data[static_cast<std::size_t>(at)])) at = i;
      }
      const auto peak = peak_on_photo(map, GetParam(), kWidth, kHeight);
      ASSERT_EQ(peak.has_value(), at >= 0);
      if (!peak) continue;
      EXPECT_EQ(peak->row * kWidth + peak->column, at);
      EXPECT_EQ(peak->value, large.data[static_cast<std::size_t>(at)]);
    }
}

INSTANTIATE_TEST_SUITE_P(Views, OnPhoto,
                         testing::Values(View{0, 0, 517, 388}, View{100.5, 20, 400, 321.25},
                                         View{99.5, -20.75, 401.49, 388.5},
                                         View{-30, -60, 600, 500}, View{600, 0, 700, 100}));

TEST(Peak, PassesOverNanAndZero) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const View whole{0, 0, 3, 2};
  EXPECT_FALSE(peak_on_photo({{2, 3}, std::vector<float>(6)}, whole, 3, 2));
  EXPECT_FALSE(peak_on_photo({{2, 3}, std::vector<float>(6, nan)}, whole, 3, 2));
  const auto peak = peak_on_photo({{2, 3}, {nan, 0, -1, nan, 0, -2}}, whole, 3, 2);
  ASSERT_TRUE(peak);
  EXPECT_EQ(peak->row, 0);
  EXPECT_EQ(peak->column, 2);
  EXPECT_EQ(peak->value, -1);
  EXPECT_THROW(peak_on_photo({{2, 3}, std::vector<float>(6)}, {0, 0, 0, 2}, 3, 2), Error);
}

TEST(Overlay, RefusesAViewThatIsEmpty) {
  const Tensor map{{1, 1}, {1}};
  EXPECT_THROW(overlay(noise(4, 3, 3), map, {0.5, Colormap::jet, View{1, 1, 1, 2}}), Error);
  EXPECT_THROW(heatmap(map, View{1, 1, 1, 2}, 4, 3), Error);
  EXPECT_THROW(heatmap(map, View{0, 0, 4, 3}, 4, 0), Error);
}

TEST(Overlay, DrawsIntoThePhotoItIsGiven) {
  Image photo = noise(40, 30, 5);
  const auto* pixels = photo.rgb.data();
  const Image drawn =
      overlay(std::move(photo), {{1, 1}, {1}}, {0.5, Colormap::jet, View{0, 0, 40, 30}});
  EXPECT_EQ(drawn.rgb.data(), pixels);
}

}  // namespace
}  // namespace fovea::image::test
