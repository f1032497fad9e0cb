#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "image/resample.hpp"
#include "image/support.hpp"

// What Pillow and torchvision make of drawn pictures: golden/resizes.txt, or the file that
// FOVEA_RESIZES names, both by draw_resizes.py.
namespace fovea::image::test {
namespace {

using Geometry = Preprocess::Geometry;
using Resize = Preprocess::Resize;
using Raw = std::vector<std::uint8_t>;

const std::map<std::string, Resize> kKinds = {
    {"bilinear-antialias", Resize::bilinear_antialias},
    {"bicubic-antialias", Resize::bicubic_antialias},
    {"lanczos-antialias", Resize::lanczos_antialias},
    {"hamming-antialias", Resize::hamming_antialias},
    {"box-antialias", Resize::box_antialias},
    {"nearest", Resize::nearest},
    {"bilinear-tensor", Resize::bilinear_tensor},
    {"bicubic-tensor", Resize::bicubic_tensor},
    {"lanczos-tensor", Resize::lanczos_tensor},
    {"nearest-tensor", Resize::nearest_tensor},
};
const std::map<std::string, Geometry> kGeometries = {
    {"stretch", Geometry::stretch},           {"resize-crop", Geometry::resize_crop},
    {"squash-crop", Geometry::squash_crop},   {"cover-crop", Geometry::cover_crop},
    {"contain-crop", Geometry::contain_crop},
};
constexpr std::array<double, 3> kMean = {124, 116, 104};

// picture() of draw_resizes.py.
Raw picture(std::uint32_t seed, std::int64_t bytes) {
  Raw out;
  for (std::uint32_t i = 1; i <= static_cast<std::uint32_t>(bytes); ++i) {
    std::uint32_t v = i * 2654435761u + seed * 2246822519u;
    v ^= v >> 15;
    v *= 2246822519u;
    v ^= v >> 13;
    const std::uint32_t block = (v >> 8) & 3;
    out.push_back(block == 0 ? 0 : block == 1 ? 255 : static_cast<std::uint8_t>(v));
  }
  return out;
}

std::uint32_t crc32(const Raw& bytes) {
  std::uint32_t crc = ~0u;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

std::uint32_t resized(std::istream& line) {
  std::string kind;
  std::int64_t channels = 0, width = 0, height = 0;
  std::uint32_t seed = 0;
  Placement at;
  Axis &x = at.x, &y = at.y;
  line >> kind >> channels >> seed >> width >> height >> x.crop >> y.crop >> x.crop_size >>
      y.crop_size >> x.from >> y.from >> x.to >> y.to >> x.resized >> y.resized >> x.take >>
      y.take >> x.count >> y.count;
  const Raw bytes = picture(seed, width * height * channels);
  return crc32(resample({width, height, channels, bytes.data()}, at, kKinds.at(kind)).bytes);
}

std::uint32_t prepared(std::istream& line) {
  std::string geometry, kind, odd;
  Image photo;
  std::uint32_t seed = 0;
  std::int64_t width = 0, height = 0;
  Preprocess recipe = Preprocess::raw();
  recipe.mean = kMean;
  line >> geometry >> kind >> odd >> seed >> photo.width >> photo.height >> recipe.shorter_side >>
      recipe.resized_width >> recipe.resized_height >> width >> height;
  recipe.geometry = kGeometries.at(geometry);
  recipe.resize = kKinds.at(kind);
  recipe.odd_margin = odd == "even" ? Preprocess::OddMargin::even : Preprocess::OddMargin::down;
  photo.rgb = picture(seed, std::int64_t{3} * photo.width * photo.height);
  const Tensor input = preprocess(photo, recipe, 3, height, width, Layout::nhwc);
  Raw bytes;
  for (std::size_t i = 0; i < input.data.size(); ++i) {
    const double value = static_cast<double>(input.data[i]) + kMean[i % 3];
    EXPECT_EQ(value, std::floor(value));
    bytes.push_back(static_cast<std::uint8_t>(value));
  }
  return crc32(bytes);
}

TEST(Resizes, DrawnOnesAreTheNamedLibrarysToTheByte) {
  const char* const more = std::getenv("FOVEA_RESIZES");
  std::ifstream file(more == nullptr ? golden_path("resizes.txt") : std::filesystem::path(more));
  std::map<std::string, int> seen;
  int cases = 0;
  for (std::string text; std::getline(file, text); ++cases) {
    std::istringstream line(text);
    std::string what;
    line >> what;
    const std::uint32_t got = what == "resize" ? resized(line) : prepared(line);
    std::uint32_t expected = 0;
    ASSERT_TRUE(line >> expected) << text;
    EXPECT_EQ(got, expected) << text;
    for (const auto& [name, kind] : kKinds) seen[name] += text.find(name) != std::string::npos;
    for (const auto& [name, kind] : kGeometries) seen[name] += text.find(name) != std::string::npos;
  }
  EXPECT_GE(cases, 200);
  EXPECT_EQ(seen.size(), kKinds.size() + kGeometries.size());
  for (const auto& [name, times] : seen) EXPECT_GE(times, 5) << name;
}

}  // namespace
}  // namespace fovea::image::test
