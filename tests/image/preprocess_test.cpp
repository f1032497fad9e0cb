#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>

#include "base/parallel.hpp"
#include "image/support.hpp"

namespace fovea::image::test {
namespace {

using Geometry = Preprocess::Geometry;
using Resize = Preprocess::Resize;

Geometry geometry_named(const std::string& name) {
  if (name == "stretch") return Geometry::stretch;
  if (name == "center_square") return Geometry::center_square;
  if (name == "resize_crop") return Geometry::resize_crop;
  if (name == "letterbox") return Geometry::letterbox;
  throw std::runtime_error("bad golden");
}

// The raw recipe's input as a picture again; a value that is no byte fails the test.
Image as_picture(const Tensor& input) {
  const auto channels = input.shape.at(1), pixels = input.shape.at(2) * input.shape.at(3);
  Image image{static_cast<int>(input.shape[3]), static_cast<int>(input.shape[2]), {}};
  for (std::int64_t i = 0; i < pixels; ++i)
    for (std::int64_t c = 0; c < 3; ++c) {
      const float v = input.data.at(static_cast<std::size_t>((channels == 1 ? 0 : c) * pixels + i));
      EXPECT_TRUE(v >= 0 && v <= 255 && v == std::floor(v)) << v;
      image.rgb.push_back(static_cast<std::uint8_t>(v));
    }
  return image;
}

TEST(Preprocess, EveryGeometryAsPillowToTheByte) {
  const auto photos = golden_pictures("photos.ppm");
  const auto expected = golden_pictures("preprocess.ppm");
  std::ifstream cases(golden_path("preprocess.txt"));
  std::string geometry, resize, order;
  std::size_t photo = 0, done = 0;
  int height = 0, width = 0;
  Preprocess recipe = Preprocess::raw();
  while (cases >> photo >> geometry >> resize >> order >> recipe.shorter_side >> height >> width) {
    recipe.geometry = geometry_named(geometry);
    recipe.resize = resize == "nearest" ? Resize::nearest : Resize::bilinear_antialias;
    recipe.order = order == "luma" ? Preprocess::Order::luma : Preprocess::Order::rgb;
    const Tensor input =
        preprocess(photos.at(photo), recipe, order == "luma" ? 1 : 3, height, width);
    EXPECT_EQ(largest_difference(as_picture(input), expected.at(done)), 0)
        << "case " << done << ": " << geometry << " " << resize << " " << order;
    ++done;
  }
  EXPECT_EQ(done, expected.size());
}

TEST(Preprocess, TheUsualRecipesAsNumpyComputesThem) {
  const Image photo = golden_picture("photos.ppm");
  const Bytes bytes = golden("recipes.f32");
  constexpr std::size_t kValues = 3 * 14 * 12;
  ASSERT_EQ(bytes.size(), 4 * kValues * sizeof(float));
  const Preprocess recipes[] = {Preprocess::imagenet(), Preprocess::inception(),
                                Preprocess::caffe(), Preprocess::raw()};
  for (std::size_t r = 0; r < 4; ++r) {
    Preprocess recipe = recipes[r];
    recipe.geometry = Geometry::stretch;
    const Tensor input = preprocess(photo, recipe, 3, 14, 12);
    ASSERT_EQ(input.shape, (Shape{1, 3, 14, 12}));
    std::vector<float> expected(kValues);
    std::memcpy(expected.data(), bytes.data() + r * kValues * sizeof(float),
                kValues * sizeof(float));
    for (std::size_t i = 0; i < kValues; ++i)
      ASSERT_NEAR(input.data.at(i), expected[i], 1e-6 * std::max(1.0f, std::abs(expected[i])))
          << "recipe " << r << " value " << i;
  }
}

TEST(Preprocess, NamedRecipesHaveTheirGeometry) {
  EXPECT_EQ(Preprocess::imagenet().geometry, Geometry::resize_crop);
  EXPECT_EQ(Preprocess::inception().geometry, Geometry::resize_crop);
  EXPECT_EQ(Preprocess::caffe().geometry, Geometry::center_square);
  EXPECT_EQ(Preprocess::raw().geometry, Geometry::stretch);
}

TEST(Preprocess, NhwcHoldsTheSameValues) {
  const Image photo = golden_picture("photos.ppm");
  const Tensor planes = preprocess(photo, Preprocess::imagenet(), 3, 9, 7);
  const Tensor pixels = preprocess(photo, Preprocess::imagenet(), 3, 9, 7, Layout::nhwc);
  ASSERT_EQ(pixels.shape, (Shape{1, 9, 7, 3}));
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < 63; ++i)
      ASSERT_EQ(pixels.data.at(3 * i + c), planes.data.at(63 * c + i));
}

TEST(Preprocess, GreyGoesWhereverTheNetworkAsksForIt) {
  const Image photo = noise(13, 11, 1);
  Preprocess recipe = Preprocess::raw();
  const Tensor one = preprocess(photo, recipe, 1, 11, 13);
  for (std::size_t i = 0; i < 13 * 11; ++i) {
    const int r = photo.rgb[3 * i], g = photo.rgb[3 * i + 1], b = photo.rgb[3 * i + 2];
    ASSERT_EQ(one.data.at(i), (19595 * r + 38470 * g + 7471 * b + 32768) / 65536);
  }
  recipe = Preprocess::imagenet();
  recipe.geometry = Geometry::stretch;
  recipe.order = Preprocess::Order::luma;
  const Tensor three = preprocess(photo, recipe, 3, 11, 13);
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < 13 * 11; ++i)
      ASSERT_NEAR(three.data.at(13 * 11 * c + i),
                  (one.data[i] / 255 - recipe.mean[c]) / recipe.std[c], 1e-6);
}

TEST(Preprocess, BordersAreTheMeanInALetterboxAndBlackAroundACrop) {
  const Image photo = noise(40, 20, 2);
  Preprocess recipe = Preprocess::imagenet();
  recipe.geometry = Geometry::letterbox;
  Tensor input = preprocess(photo, recipe, 3, 16, 16);
  for (const std::size_t row : {0u, 3u, 12u, 15u})
    EXPECT_EQ(input.data.at(row * 16 + 5), 0.0f) << row;
  EXPECT_NE(input.data.at(4 * 16 + 5), 0.0f);

  recipe.geometry = Geometry::resize_crop;
  recipe.shorter_side = 4;
  input = preprocess(photo, recipe, 3, 16, 16);
  for (std::size_t c = 0; c < 3; ++c)
    EXPECT_NEAR(input.data.at(256 * c), -recipe.mean[c] / recipe.std[c], 1e-6);
}

// One pixel of a resize by the definition of the filter, in double precision.
double sampled(const Image& photo, double x, double y, int channel) {
  const auto at = [&](double row, double column) {
    const auto i = static_cast<std::size_t>(std::clamp(row, 0.0, photo.height - 1.0));
    const auto j = static_cast<std::size_t>(std::clamp(column, 0.0, photo.width - 1.0));
    return double{photo.rgb[3 * (i * static_cast<std::size_t>(photo.width) + j) +
                            static_cast<std::size_t>(channel)] *
                  1.0};
  };
  const double left = std::floor(x), top = std::floor(y), u = x - left, v = y - top;
  return (1 - v) * ((1 - u) * at(top, left) + u * at(top, left + 1)) +
         v * ((1 - u) * at(top + 1, left) + u * at(top + 1, left + 1));
}

TEST(Preprocess, PlainBilinearIsHalfPixelAndClamped) {
  const Image photo = noise(31, 23, 3);
  Preprocess recipe = Preprocess::raw();
  recipe.resize = Resize::bilinear;
  for (const auto& [w, h] : {std::pair{17, 40}, {64, 9}, {31, 23}, {1, 1}}) {
    const Tensor input = preprocess(photo, recipe, 3, h, w);
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < h; ++y)
        for (int x = 0; x < w; ++x) {
          const double expected =
              sampled(photo, (x + 0.5) * 31 / w - 0.5, (y + 0.5) * 23 / h - 0.5, c);
          // OpenCV's weights have 11 bits.
          ASSERT_NEAR(input.data.at(static_cast<std::size_t>((c * h + y) * w + x)), expected, 1.0);
        }
  }
}

TEST(Preprocess, AreaIsTheMeanOfWhatAPixelCovers) {
  const Image photo = noise(30, 21, 4);
  Preprocess recipe = Preprocess::raw();
  recipe.resize = Resize::area;
  for (const auto& [w, h] : {std::pair{10, 7}, {12, 8}, {29, 20}}) {
    const double step_x = 30.0 / w, step_y = 21.0 / h;
    const Tensor input = preprocess(photo, recipe, 3, h, w);
    const auto covered = [](double a, double b, int i) {
      return std::max(0.0, std::min(b, i + 1.0) - std::max(a, 1.0 * i));
    };
    for (int y = 0; y < h; ++y)
      for (int x = 0; x < w; ++x) {
        double sum = 0;
        for (int i = 0; i < 21; ++i)
          for (int j = 0; j < 30; ++j)
            sum += photo.rgb[static_cast<std::size_t>(3 * (i * 30 + j))] *
                   covered(y * step_y, (y + 1) * step_y, i) *
                   covered(x * step_x, (x + 1) * step_x, j);
        ASSERT_NEAR(input.data.at(static_cast<std::size_t>(y * w + x)), sum / (step_x * step_y),
                    1.0);
      }
  }
}

TEST(Preprocess, ThreadsChangeNothing) {
  const Image photo = noise(901, 703, 5);
  for (const auto geometry :
       {Geometry::stretch, Geometry::center_square, Geometry::resize_crop, Geometry::letterbox})
    for (const std::int64_t channels : {1, 3}) {
      Preprocess recipe = Preprocess::imagenet();
      recipe.geometry = geometry;
      Tensor alone, together;
      {
        const base::ThreadScope scope(1);
        alone = preprocess(photo, recipe, channels, 224, 240);
      }
      {
        const base::ThreadScope scope(5);
        together = preprocess(photo, recipe, channels, 224, 240);
      }
      EXPECT_EQ(alone.data, together.data);
    }
}

ErrorCode code_of(const Image& photo, const Preprocess& recipe, std::int64_t channels,
                  std::int64_t height, std::int64_t width) {
  try {
    preprocess(photo, recipe, channels, height, width);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(Preprocess, RefusesWhatMakesNoSense) {
  const Image photo = noise(8, 8, 6);
  const Preprocess good;
  const auto invalid = ErrorCode::invalid_argument;
  EXPECT_EQ(code_of(photo, good, 2, 8, 8), invalid);
  EXPECT_EQ(code_of(photo, good, 3, 0, 8), invalid);
  EXPECT_EQ(code_of(photo, good, 3, 8, -1), invalid);
  EXPECT_EQ(code_of(photo, good, 3, std::int64_t{1} << 40, std::int64_t{1} << 40), invalid);
  EXPECT_EQ(code_of(Image{}, good, 3, 8, 8), invalid);
  Preprocess bad;
  bad.std[1] = 0;
  EXPECT_EQ(code_of(photo, bad, 3, 8, 8), invalid);
  EXPECT_EQ(code_of(photo, bad, 1, 8, 8), ErrorCode::internal) << "the second std is not read";
  bad = {};
  bad.mean[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(code_of(photo, bad, 3, 8, 8), invalid);
  bad = {};
  bad.scale = std::numeric_limits<double>::infinity();
  EXPECT_EQ(code_of(photo, bad, 3, 8, 8), invalid);
  bad = {};
  bad.shorter_side = -1;
  EXPECT_EQ(code_of(photo, bad, 3, 8, 8), invalid);
}

TEST(Preprocess, RefusesAPhotoTooNarrowToBeScaledUp) {
  const Image line = noise(16384, 1, 7);
  EXPECT_EQ(code_of(line, Preprocess::imagenet(), 3, 224, 224), ErrorCode::bad_input);
  EXPECT_EQ(code_of(line, Preprocess::caffe(), 3, 224, 224), ErrorCode::internal) << "no error";
  EXPECT_EQ(code_of(line, Preprocess::raw(), 3, 224, 224), ErrorCode::internal) << "no error";
}

}  // namespace
}  // namespace fovea::image::test
