#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

using Geometry = Preprocess::Geometry;

constexpr Geometry kGeometries[] = {Geometry::stretch, Geometry::center_square,
                                    Geometry::resize_crop, Geometry::letterbox};

Preprocess recipe_of(Geometry geometry, int shorter_side = 0) {
  Preprocess recipe = Preprocess::raw();
  recipe.geometry = geometry;
  recipe.shorter_side = shorter_side;
  return recipe;
}

void expect_view(const View& view, double x0, double y0, double x1, double y1) {
  EXPECT_NEAR(view.x0, x0, 1e-9);
  EXPECT_NEAR(view.y0, y0, 1e-9);
  EXPECT_NEAR(view.x1, x1, 1e-9);
  EXPECT_NEAR(view.y1, y1, 1e-9);
}

TEST(View, OfEachGeometry) {
  expect_view(view_of(640, 480, recipe_of(Geometry::stretch), 224, 224), 0, 0, 640, 480);
  expect_view(view_of(640, 480, recipe_of(Geometry::center_square), 224, 224), 80, 0, 560, 480);
  expect_view(view_of(641, 480, recipe_of(Geometry::center_square), 224, 224), 80, 0, 560, 480);
  expect_view(view_of(481, 640, recipe_of(Geometry::center_square), 224, 224), 0, 79, 481, 560);
  // Shorter side to 256, so the input's 224 show 224 / 256 of it.
  expect_view(view_of(512, 512, recipe_of(Geometry::resize_crop), 224, 224), 32, 32, 480, 480);
  // 640 x 480 becomes 341 x 256; the crop begins at round(58.5) = 58, halves to even.
  expect_view(view_of(640, 480, recipe_of(Geometry::resize_crop, 256), 224, 224), 58 * 640 / 341.0,
              30, 282 * 640 / 341.0, 450);
  // 16 pixels for the shorter side of 32, in an input of 24: 4 pixels of border on each side.
  expect_view(view_of(64, 32, recipe_of(Geometry::resize_crop, 16), 24, 24), 8, -8, 56, 40);
  // 640 x 480 becomes 224 x 168 between borders of 28.
  expect_view(view_of(640, 480, recipe_of(Geometry::letterbox), 224, 224), 0, -80, 640, 560);
  expect_view(view_of(100, 400, recipe_of(Geometry::letterbox), 200, 200), -150, 0, 250, 400);
}

TEST(View, WithoutItsCropARecipeShowsAllOfAPhoto) {
  for (auto recipe : {Preprocess::imagenet(), Preprocess::caffe(), Preprocess::raw()}) {
    recipe.resize = Preprocess::Resize::bicubic_antialias;
    recipe.shorter_side = recipe.resized_width = 300;
    for (const auto& [width, height] : {std::pair{640, 480}, {30, 700}}) {
      const auto stretched = without_crop(recipe, Whole::stretch);
      expect_view(view_of(width, height, stretched, 224, 200), 0, 0, width, height);
      const auto view = view_of(width, height, without_crop(recipe, Whole::letterbox), 224, 200);
      EXPECT_LE(std::max(view.x0, view.y0), 0);
      EXPECT_GE(view.x1, width);
      EXPECT_GE(view.y1, height);
      // Nothing else of the recipe is another.
      EXPECT_EQ(stretched.order, recipe.order);
      EXPECT_EQ(stretched.mean, recipe.mean);
      EXPECT_EQ(stretched.std, recipe.std);
      EXPECT_EQ(stretched.scale, recipe.scale);
      EXPECT_EQ(stretched.resize, recipe.resize);
      EXPECT_EQ(without_crop(stretched, Whole::stretch), stretched);
    }
  }
}

TEST(View, RefusesExtentsThatMakeNoSense) {
  EXPECT_THROW(view_of(0, 480, {}, 224, 224), Error);
  EXPECT_THROW(view_of(640, 480, {}, 224, 0), Error);
}

// Bilinear at half-pixel centres by its definition, in double precision.
double slow_value(const Tensor& map, const View& view, double x, double y) {
  if (x < view.x0 || x >= view.x1 || y < view.y0 || y >= view.y1) return 0;
  const auto h = map.shape[0], w = map.shape[1];
  const double u = std::clamp((x - view.x0) / (view.x1 - view.x0) * static_cast<double>(w) - 0.5,
                              0.0, static_cast<double>(w - 1));
  const double v = std::clamp((y - view.y0) / (view.y1 - view.y0) * static_cast<double>(h) - 0.5,
                              0.0, static_cast<double>(h - 1));
  double sum = 0;
  for (std::int64_t i = 0; i < h; ++i)
    for (std::int64_t j = 0; j < w; ++j) {
      const double weight = std::max(0.0, 1 - std::abs(v - static_cast<double>(i))) *
                            std::max(0.0, 1 - std::abs(u - static_cast<double>(j)));
      sum += weight * static_cast<double>(map.data.at(static_cast<std::size_t>(i * w + j)));
    }
  return sum;
}

void expect_as_slow(const Tensor& map, const View& view, int width, int height) {
  const Tensor got = map_on_photo(map, view, width, height);
  ASSERT_EQ(got.shape, (Shape{height, width}));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      ASSERT_NEAR(got.data.at(static_cast<std::size_t>(y * width + x)),
                  slow_value(map, view, x + 0.5, y + 0.5), 2e-6)
          << x << ", " << y;
}

Tensor random_map(std::int64_t h, std::int64_t w, std::uint32_t seed) {
  Tensor map{{h, w}, {}};
  Random random(seed);
  for (std::int64_t i = 0; i < h * w; ++i) map.data.push_back(random.uniform());
  return map;
}

TEST(MapOnPhoto, EqualsTheSlowReferenceUnderEveryGeometry) {
  std::uint32_t seed = 1;
  for (const Geometry geometry : kGeometries)
    for (const auto& [width, height] : {std::pair{61, 47}, {33, 90}, {5, 3}, {1, 1}})
      for (const auto& [h, w] : {std::pair<int, int>{7, 7}, {1, 1}, {13, 4}, {1, 9}}) {
        const Tensor map = random_map(h, w, ++seed);
        for (const int shorter : {0, 20})
          expect_as_slow(map, view_of(width, height, recipe_of(geometry, shorter), 28, 28), width,
                         height);
      }
}

TEST(MapOnPhoto, PutsEveryCellWhereTheNetworkSawIt) {
  const int width = 64, height = 40;
  for (const Geometry geometry : kGeometries) {
    const View view = view_of(width, height, recipe_of(geometry), 28, 28);
    for (std::size_t cell = 0; cell < 49; ++cell) {
      Tensor map{{7, 7}, std::vector<float>(49, 0.0f)};
      map.data[cell] = 1;
      expect_as_slow(map, view, width, height);
    }
  }
}

TEST(MapOnPhoto, ViewsBesideThePhotoLeaveItZero) {
  const Tensor map = random_map(3, 3, 5);
  for (const View& view :
       {View{100, 0, 120, 20}, View{-30, -30, -1, -1}, View{3.6, 3.6, 4.4, 4.4}}) {
    const Tensor got = map_on_photo(map, view, 20, 10);
    EXPECT_EQ(std::count(got.data.begin(), got.data.end(), 0.0f), 200);
  }
}

TEST(MapOnPhoto, LargePhotosAreSplitWithoutSeams) {
  const Tensor map = random_map(7, 7, 6);
  expect_as_slow(map, view_of(517, 388, recipe_of(Geometry::resize_crop), 224, 224), 517, 388);
}

TEST(MapOnPhoto, RefusesWhatMakesNoSense) {
  const Tensor map = random_map(2, 2, 7);
  const View view{0, 0, 4, 4};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(map_on_photo(map, {0, 0, 0, 4}, 4, 4), Error);
  EXPECT_THROW(map_on_photo(map, {0, 4, 4, 0}, 4, 4), Error);
  EXPECT_THROW(map_on_photo(map, {nan, 0, 4, 4}, 4, 4), Error);
  EXPECT_THROW(map_on_photo(map, view, 0, 4), Error);
  EXPECT_THROW(map_on_photo({{2, 2, 2}, std::vector<float>(8)}, view, 4, 4), Error);
  EXPECT_THROW(map_on_photo({{2, 2}, std::vector<float>(3)}, view, 4, 4), Error);
  EXPECT_THROW(map_on_photo({{0, 2}, {}}, view, 4, 4), Error);
}

struct Point {
  double x = 0, y = 0;
};

// Where the weight of a map lies, in continuous coordinates.
Point centroid(const float* map, std::int64_t h, std::int64_t w) {
  double sum = 0;
  Point point;
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t x = 0; x < w; ++x) {
      const double weight = static_cast<double>(map[y * w + x]);
      sum += weight;
      point.x += weight * (static_cast<double>(x) + 0.5);
      point.y += weight * (static_cast<double>(y) + 0.5);
    }
  return {point.x / sum, point.y / sum};
}

// A black photo with one soft spot, wider than what an input pixel covers.
Image photo_of_spot(int width, int height, Point spot) {
  constexpr double kRadius = 14;
  Image photo{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double far = std::hypot(x + 0.5 - spot.x, y + 0.5 - spot.y) / kRadius;
      photo.rgb.insert(photo.rgb.end(), 3,
                       static_cast<std::uint8_t>(255 * std::exp(-far * far / 2)));
    }
  return photo;
}

// There and back: a spot in the photo, through preprocessing into the input, and the input itself
// taken as a map back onto the photo.
TEST(MapOnPhoto, UndoesPreprocessing) {
  constexpr std::int64_t kInput = 32;
  constexpr double kMargin = 50;
  int done = 0;
  for (const auto& [width, height] : {std::pair{320, 240}, {197, 301}})
    for (const Geometry geometry : kGeometries)
      for (const auto resize :
           {Preprocess::Resize::bilinear_antialias, Preprocess::Resize::bilinear,
            Preprocess::Resize::area, Preprocess::Resize::nearest}) {
        Preprocess recipe = recipe_of(geometry);
        recipe.resize = resize;
        const View view = view_of(width, height, recipe, kInput, kInput);
        // The nearest pixel's centre is up to half a pixel off.
        const double tolerance = resize == Preprocess::Resize::nearest ? 0.6 : 0.15;
        for (const Point at : {Point{0.5, 0.5}, {0.3, 0.7}, {0.7, 0.35}}) {
          const Point spot{at.x * width, at.y * height};
          if (spot.x < view.x0 + kMargin || spot.x > view.x1 - kMargin ||
              spot.y < view.y0 + kMargin || spot.y > view.y1 - kMargin)
            continue;
          const Tensor input =
              preprocess(photo_of_spot(width, height, spot), recipe, 3, kInput, kInput);
          const Point seen = centroid(input.data.data(), kInput, kInput);
          EXPECT_NEAR(view.x0 + seen.x * (view.x1 - view.x0) / kInput, spot.x, tolerance);
          EXPECT_NEAR(view.y0 + seen.y * (view.y1 - view.y0) / kInput, spot.y, tolerance);

          const Tensor map{{kInput, kInput},
                           {input.data.begin(), input.data.begin() + kInput * kInput}};
          const Tensor back = map_on_photo(map, view, width, height);
          const Point found = centroid(back.data.data(), height, width);
          EXPECT_NEAR(found.x, spot.x, tolerance);
          EXPECT_NEAR(found.y, spot.y, tolerance);
          ++done;
        }
      }
  EXPECT_GT(done, 60);
}

}  // namespace
}  // namespace fovea::image::test
