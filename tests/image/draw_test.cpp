#include <gtest/gtest.h>

#include <cmath>
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
  for (std::size_t k = 0; k < 4; ++k)
    EXPECT_EQ(largest_difference(heatmap(ramp, kColormaps[k]), expected.at(k)), 0) << k;
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
    EXPECT_EQ(heatmap(map, GetParam(), kWidth, kHeight, Colormap::turbo).rgb,
              heatmap(large, Colormap::turbo).rgb);
    EXPECT_EQ(overlay(photo, map, {0.3, Colormap::jet, GetParam()}).rgb,
              overlay(photo, large, {0.3, Colormap::jet}).rgb);
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
