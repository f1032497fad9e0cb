#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "image/codec.hpp"
#include "image/exif.hpp"
#include "image/support.hpp"

/// Photos that are decoded at a part of their size, held against the same photos decoded in full.
namespace fovea::image::test {
namespace {

using Geometry = Preprocess::Geometry;

constexpr std::int64_t kInput = 32;
// Of 255 levels. The largest are at the right and the lower edge, where the last decoded pixel is
// half made of what the encoder filled its block with.
constexpr double kMean = 0.6, kLargest = 8;

Preprocess recipe_of(Geometry geometry) {
  Preprocess recipe = Preprocess::raw();
  recipe.geometry = geometry;
  return recipe;
}

/// The JPEG with an EXIF block that says so.
Bytes with_orientation(const Bytes& jpeg, unsigned orientation) {
  const unsigned segment[] = {0xFF, 0xE1, 0, 34, 'E', 'x',         'i', 'f', 0, 0,    'M', 'M',
                              0,    42,   0, 0,  0,   8,           0,   1,   1, 0x12, 0,   3,
                              0,    0,    0, 1,  0,   orientation, 0,   0,   0, 0,    0,   0};
  Bytes out(jpeg.begin(), jpeg.begin() + 2);
  for (const unsigned byte : segment) out.push_back(static_cast<std::byte>(byte));
  out.insert(out.end(), jpeg.begin() + 2, jpeg.end());
  return out;
}

/// Waves of many lengths, and noise: what a photo has at every scale.
Image busy_photo(int width, int height) {
  Image photo{width, height, {}};
  Random random(21);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        double sum = 128;
        for (int k = 0; k < 4; ++k)
          sum += 25 * std::sin(x * 0.4 / (1 << (k + c % 2)) + c) * std::cos(y * 0.5 / (1 << k) + k);
        sum += 16.0 * static_cast<double>(random.uniform()) - 8;
        photo.rgb.push_back(static_cast<std::uint8_t>(std::clamp(sum, 0.0, 255.0)));
      }
  return photo;
}

struct Difference {
  double mean = 0, largest = 0;
};

Difference difference(const Tensor& a, const Tensor& b) {
  Difference out;
  for (std::size_t i = 0; i < a.data.size(); ++i) {
    const double off = std::abs(static_cast<double>(a.data[i]) - static_cast<double>(b.data[i]));
    out.mean += off / static_cast<double>(a.data.size());
    out.largest = std::max(out.largest, off);
  }
  return out;
}

Difference difference(const Bytes& file, const Preprocess& recipe, std::int64_t channels = 3) {
  const auto reduced = decode_reduced(file, recipe, kInput, kInput);
  return difference(preprocess(reduced, recipe, channels, kInput, kInput),
                    preprocess(decode_image(file), recipe, channels, kInput, kInput));
}

TEST(Reduced, IsDecodedAtTheSmallestSizeThatIsEnough) {
  const Preprocess recipe = recipe_of(Geometry::stretch);
  const auto width_of = [&](int width, int height) {
    const auto photo =
        decode_reduced(encode_image(busy_photo(width, height), ".jpg"), recipe, kInput, kInput);
    EXPECT_EQ(photo.width, width);
    EXPECT_EQ(photo.height, height);
    return photo.image.width;
  };
  EXPECT_EQ(width_of(512, 600), 64);
  EXPECT_EQ(width_of(511, 600), 128);
  EXPECT_EQ(width_of(600, 511), 150);
  EXPECT_EQ(width_of(255, 1000), 128);
  EXPECT_EQ(width_of(127, 1000), 127);
}

TEST(Reduced, DiffersLittleFromTheWholePhotoUnderEveryGeometry) {
  for (const auto& [width, height] : {std::pair{640, 560}, {607, 533}, {433, 801}}) {
    const Bytes file = encode_image(busy_photo(width, height), ".jpg");
    for (const Geometry geometry :
         {Geometry::stretch, Geometry::center_square, Geometry::resize_crop, Geometry::letterbox}) {
      const auto reduced = decode_reduced(file, recipe_of(geometry), kInput, kInput);
      EXPECT_LT(reduced.image.width, width);
      const auto [mean, largest] = difference(file, recipe_of(geometry));
      EXPECT_LT(mean, kMean) << width << " " << static_cast<int>(geometry);
      EXPECT_LT(largest, kLargest) << width << " " << static_cast<int>(geometry);
      EXPECT_LT(difference(file, recipe_of(geometry), 1).mean, kMean);
    }
  }
}

TEST(Reduced, LiesWhereTheWholePhotoLiesInEveryOrientation) {
  // No side is a multiple of 8, so the last pixels stand for a part of a block each.
  const Bytes file = encode_image(busy_photo(537, 603), ".jpg");
  for (unsigned orientation = 1; orientation <= 8; ++orientation) {
    const Bytes turned = with_orientation(file, orientation);
    const auto reduced = decode_reduced(turned, recipe_of(Geometry::stretch), kInput, kInput);
    const Image whole = decode_image(turned);
    EXPECT_EQ(reduced.width, whole.width);
    EXPECT_EQ(reduced.height, whole.height);
    EXPECT_LT(reduced.image.width, whole.width);
    for (const Geometry geometry : {Geometry::stretch, Geometry::center_square}) {
      const auto [mean, largest] = difference(turned, recipe_of(geometry));
      EXPECT_LT(mean, kMean) << orientation;
      EXPECT_LT(largest, kLargest) << orientation;
    }
  }
}

TEST(Reduced, WhatIsNotReducedIsTheSameToTheBit) {
  const Image photo = busy_photo(300, 200);
  const Bytes png = encode_image(photo, ".png"), jpeg = encode_image(photo, ".jpg");
  Preprocess recipe = recipe_of(Geometry::center_square);
  const auto expect_whole = [&](const Bytes& file, std::int64_t input) {
    const auto reduced = decode_reduced(file, recipe, input, input);
    const Image whole = decode_image(file);
    EXPECT_EQ(reduced.image.rgb, whole.rgb);
    EXPECT_EQ(preprocess(reduced, recipe, 3, input, input).data,
              preprocess(whole, recipe, 3, input, input).data);
  };
  expect_whole(png, kInput);
  expect_whole(jpeg, 150);
  for (const auto resize :
       {Preprocess::Resize::bilinear, Preprocess::Resize::nearest, Preprocess::Resize::area}) {
    recipe.resize = resize;
    expect_whole(jpeg, kInput);
  }
}

TEST(Reduced, EveryKindOfJpegCanBe) {
  for (const char* name : {"baseline.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg",
                           "half_chroma.jpg", "full_chroma.jpg", "restarts.jpg"}) {
    const Bytes bytes = golden(name);
    const std::span<const std::uint8_t> file(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                             bytes.size());
    const auto [width, height] = jpeg_extents(file);
    for (const int eighths : {1, 2, 4, 8}) {
      const Image image = decode_jpeg(file, eighths);
      EXPECT_EQ(image.width, (width * eighths + 7) / 8) << name;
      EXPECT_EQ(image.height, (height * eighths + 7) / 8) << name;
    }
  }
}

TEST(Reduced, RefusesADamagedFileAndNamesIt) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "cut.jpg";
  Bytes bytes = encode_image(busy_photo(400, 400), ".jpg");
  bytes.resize(bytes.size() / 2);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  try {
    read_reduced(path, Preprocess::raw(), kInput, kInput);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_EQ(error.context().file, path.string());
  }
  EXPECT_THROW(decode_reduced(golden("baseline.jpg"), Preprocess::raw(), 0, kInput), Error);
}

TEST(Reduced, PreprocessRefusesWhatDoesNotFit) {
  const Preprocess recipe = recipe_of(Geometry::stretch);
  const auto photo = decode_reduced(encode_image(busy_photo(512, 512), ".jpg"), recipe, 32, 32);
  ASSERT_EQ(photo.image.width, 64);
  const auto refused = [](const ReducedImage& image, const Preprocess& how) {
    EXPECT_THROW(preprocess(image, how, 3, kInput, kInput), Error);
  };
  auto other = photo;
  other.whole = {0, 0, 65, 64};
  refused(other, recipe);
  other.whole = {3, 0, 3, 64};
  refused(other, recipe);
  other = photo;
  other.width = 0;
  refused(other, recipe);
  other = photo;
  other.image.rgb.pop_back();
  refused(other, recipe);
  auto nearest = recipe;
  nearest.resize = Preprocess::Resize::nearest;
  refused(photo, nearest);
}

TEST(Oriented, ARectangleGoesWithItsPixels) {
  Image image{5, 4, std::vector<std::uint8_t>(60, 0)};
  image.rgb[3 * (1 * 5 + 3)] = 9;  // x 3, y 1
  for (int orientation = 0; orientation <= 9; ++orientation) {
    const View view = oriented(View{3, 1, 4, 2}, 5, 4, orientation);
    EXPECT_EQ(view.x1 - view.x0, 1);
    EXPECT_EQ(view.y1 - view.y0, 1);
    const Image turned = oriented(image, orientation);
    const auto at = static_cast<std::size_t>(view.y0) * static_cast<std::size_t>(turned.width) +
                    static_cast<std::size_t>(view.x0);
    EXPECT_EQ(turned.rgb.at(3 * at), 9) << orientation;
  }
}

}  // namespace
}  // namespace fovea::image::test
