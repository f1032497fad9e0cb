#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "image/exif.hpp"
#include "image/support.hpp"

namespace fovea::image::test {
namespace {

using Raw = std::vector<std::uint8_t>;

struct TiffWriter {
  bool little;
  Raw bytes;

  void u16(unsigned v) {
    const auto low = static_cast<std::uint8_t>(v), high = static_cast<std::uint8_t>(v >> 8);
    bytes.push_back(little ? low : high);
    bytes.push_back(little ? high : low);
  }
  void u32(unsigned v) {
    u16(little ? v & 0xFFFF : v >> 16);
    u16(little ? v >> 16 : v & 0xFFFF);
  }
};

// A directory of three entries, the orientation in the middle.
Raw tiff(bool little, unsigned orientation, unsigned type = 3, unsigned count = 1) {
  TiffWriter out{little, little ? Raw{'I', 'I'} : Raw{'M', 'M'}};
  out.u16(42);
  out.u32(8);
  out.u16(3);
  const auto entry = [&](unsigned tag, unsigned kind, unsigned n, unsigned value) {
    out.u16(tag);
    out.u16(kind);
    out.u32(n);
    out.u16(value);
    out.u16(0);
  };
  entry(0x0100, 3, 1, 640);
  entry(0x0112, type, count, orientation);
  entry(0x011A, 3, 1, 5);
  out.u32(0);
  return out.bytes;
}

Bytes with_exif(const Bytes& jpeg, const Raw& exif) {
  Raw segment = {0xFF, 0xE1, 0, 0, 'E', 'x', 'i', 'f', 0, 0};
  segment.insert(segment.end(), exif.begin(), exif.end());
  const std::size_t length = segment.size() - 2;
  segment[2] = static_cast<std::uint8_t>(length >> 8);
  segment[3] = static_cast<std::uint8_t>(length);
  Bytes out(jpeg.begin(), jpeg.begin() + 2);
  for (const std::uint8_t b : segment) out.push_back(std::byte{b});
  out.insert(out.end(), jpeg.begin() + 2, jpeg.end());
  return out;
}

TEST(Exif, EveryOrientationAsPillowTurnsIt) {
  const Bytes plain = golden("plain.jpg");
  const auto expected = golden_pictures("plain_oriented.ppm");
  ASSERT_EQ(expected.size(), 8u);
  for (unsigned orientation = 1; orientation <= 8; ++orientation)
    for (const bool little : {true, false}) {
      const Image got = decode_image(with_exif(plain, tiff(little, orientation)));
      EXPECT_EQ(largest_difference(got, expected[orientation - 1]), 0)
          << orientation << (little ? " little" : " big");
    }
}

// Large enough for several tiles and threads; each pixel by the meaning of the tag.
TEST(Exif, TurnsLargePicturesAsSmallOnes) {
  const Image image = noise(301, 217, 5);
  for (int orientation = 2; orientation <= 8; ++orientation) {
    const Image got = oriented(image, orientation);
    const bool transposed = orientation >= 5;
    ASSERT_EQ(got.width, transposed ? 217 : 301);
    for (int y = 0; y < got.height; ++y)
      for (int x = 0; x < got.width; ++x) {
        const bool flip_x =
            orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
        const bool flip_y =
            orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
        const int u = flip_x ? got.width - 1 - x : x, v = flip_y ? got.height - 1 - y : y;
        const int from_x = transposed ? v : u, from_y = transposed ? u : v;
        for (int c = 0; c < 3; ++c)
          ASSERT_EQ(got.rgb[static_cast<std::size_t>(3 * (y * got.width + x) + c)],
                    image.rgb[static_cast<std::size_t>(3 * (from_y * 301 + from_x) + c)])
              << orientation << " at " << x << ", " << y;
      }
  }
}

TEST(Exif, OfPngAndWebpIsFollowedToo) {
  const Image upright = golden_picture("rgb.ppm");
  EXPECT_EQ(largest_difference(decode_image(golden("turned.png")), oriented(upright, 8)), 0);
  EXPECT_EQ(largest_difference(decode_image(golden("turned.webp")), oriented(upright, 6)), 0);
}

// Every type of number, in either order of bytes, in EXIF, in XMP, in both; draw_orientations.py.
TEST(Exif, DrawnFilesAsPillowTurnsThem) {
  const char* const more = std::getenv("FOVEA_ORIENTATIONS");
  std::ifstream file(
      more == nullptr ? golden_path("orientations.bin") : std::filesystem::path(more),
      std::ios::binary);
  std::map<std::string, Image> upright;
  std::array<int, 9> seen{};
  int cases = 0;
  for (std::uint32_t size = 0; file.read(reinterpret_cast<char*>(&size), sizeof size); ++cases) {
    Bytes bytes(size);
    char expected = 0;
    ASSERT_TRUE(file.read(reinterpret_cast<char*>(bytes.data()), size) && file.get(expected));
    const Image got = decode_image(bytes);
    const std::string format(reinterpret_cast<const char*>(bytes.data()), 4);
    const std::string kind = format[0] == 'R' ? "webp" : format[1] == 'P' ? "png" : "jpeg";
    const Image& plain = upright.emplace(kind, got).first->second;
    EXPECT_EQ(largest_difference(got, oriented(plain, expected)), 0)
        << kind << " " << cases << ", orientation " << int{expected};
    ++seen.at(static_cast<std::size_t>(expected));
  }
  EXPECT_GE(cases, 150);
  for (std::size_t value = 1; value <= 8; ++value) EXPECT_GE(seen[value], 3) << value;
}

// A file as it was reported, with its orientation as a LONG: Pillow's is 24 wide and 32 high.
TEST(Exif, OrientationOfTypeLong) {
  const Image image = decode_image(golden("orientation_long.jpg"));
  EXPECT_EQ(image.width, 24);
  EXPECT_EQ(image.height, 32);
}

TEST(Exif, JunkIsIgnored) {
  const Bytes plain = golden("plain.jpg");
  const Image expected = decode_image(plain);
  const Raw good = tiff(true, 6);
  std::vector<Raw> junk = {{}, {'I', 'I'}, Raw(300, 0xFF), Raw(300, 0)};
  for (const unsigned value : {0u, 9u, 65535u}) junk.push_back(tiff(false, value));
  junk.push_back(tiff(true, 6, 1));     // a byte
  junk.push_back(tiff(true, 6, 3, 3));  // three of them, which do not fit and lie elsewhere
  junk.push_back(good);
  junk.back()[4] = 0xF0;  // the directory lies beyond the end
  junk.push_back(good);
  junk.back()[7] = 0xFF;
  junk.push_back(Raw(good.begin(), good.begin() + 30));  // the entry is cut
  for (std::size_t i = 0; i < junk.size(); ++i)
    EXPECT_EQ(largest_difference(decode_image(with_exif(plain, junk[i])), expected), 0) << i;
}

TEST(Exif, EveryPrefixIsReadWithinItsBounds) {
  const Raw good = tiff(false, 6);
  for (std::size_t n = 0; n <= good.size(); ++n) {
    const Raw cut(good.begin(), good.begin() + static_cast<int>(n));
    // The orientation's entry ends at byte 34; what follows it does not matter.
    EXPECT_EQ(orientation_of(cut), n >= 34 ? 6 : 1) << n;
  }
}

}  // namespace
}  // namespace fovea::image::test
