#include <gtest/gtest.h>

#include <cmath>
#include <limits>
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

}  // namespace
}  // namespace fovea::image::test
