// How pictures are encoded: what docs/architecture.md promises of each format.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

unsigned be(const Bytes& file, std::size_t at, int bytes) {
  unsigned out = 0;
  for (int i = 0; i < bytes; ++i) out = out << 8 | byte_at(file, at++);
  return out;
}

/// The first segment of a kind: its bytes behind the length.
Bytes segment(const Bytes& jpeg, unsigned marker) {
  for (std::size_t at = 2; be(jpeg, at, 1) == 0xFF; at += 2 + be(jpeg, at + 2, 2))
    if (be(jpeg, at + 1, 1) == marker) {
      const auto first = jpeg.begin() + static_cast<std::ptrdiff_t>(at + 4);
      return {first, first + be(jpeg, at + 2, 2) - 2};
    }
  return {};
}

TEST(Format, JpegHasQuality95AndHalfTheChromaBothWays) {
  const Bytes jpeg = encode_image(noise(40, 30, 1), ".jpg");
  const Bytes tables = segment(jpeg, 0xDB);
  // The first row of the standard's table for brightness (its annex K), in zigzag order, at a
  // tenth, which is quality 95.
  const std::array<unsigned, 8> standard = {16, 11, 12, 14, 12, 10, 16, 14};
  ASSERT_GE(tables.size(), 65u);
  for (std::size_t i = 0; i < standard.size(); ++i)
    EXPECT_EQ(be(tables, 1 + i, 1), (standard[i] * 10 + 50) / 100) << i;
  const Bytes frame = segment(jpeg, 0xC0);  // baseline
  ASSERT_EQ(frame.size(), 15u);
  EXPECT_EQ(be(frame, 7, 1), 0x22u);
  EXPECT_EQ(be(frame, 10, 1), 0x11u);
  EXPECT_EQ(be(frame, 13, 1), 0x11u);
}

TEST(Format, PngFiltersEveryRowByItsLeftNeighbour) {
  constexpr int kWidth = 40, kHeight = 30;
  const Bytes png = encode_image(noise(kWidth, kHeight, 2), ".png");
  Bytes packed;
  for (std::size_t at = 8; at < png.size(); at += 12 + be(png, at, 4)) {
    if (be(png, at + 4, 4) != 0x49444154) continue;  // IDAT
    const auto first = png.begin() + static_cast<std::ptrdiff_t>(at + 8);
    packed.insert(packed.end(), first, first + be(png, at, 4));
  }
  std::vector<Bytef> rows((3 * kWidth + 1) * kHeight + 1);
  uLongf size = static_cast<uLongf>(rows.size());
  ASSERT_EQ(uncompress(rows.data(), &size, reinterpret_cast<const Bytef*>(packed.data()),
                       static_cast<uLong>(packed.size())),
            Z_OK);
  ASSERT_EQ(size, rows.size() - 1);
  for (std::size_t y = 0; y < kHeight; ++y) EXPECT_EQ(rows[y * (3 * kWidth + 1)], 1) << y;
}

// Runs are found: a heat map is mostly flat.
TEST(Format, PngOfFlatPicturesIsSmall) {
  Image flat{300, 200, std::vector<std::uint8_t>(3 * 300 * 200, 77)};
  EXPECT_LT(encode_image(flat, ".png").size(), flat.rgb.size() / 50);
}

TEST(Format, BmpIsOfTheShortHeaderAnd24Bits) {
  const Image image = noise(5, 4, 3);
  const Bytes bmp = encode_image(image, ".bmp");
  constexpr std::size_t kHeaders = 54, kRow = 16;
  ASSERT_EQ(bmp.size(), kHeaders + 4 * kRow);
  const auto le = [&](std::size_t at, int bytes) {
    unsigned out = 0;
    while (bytes > 0) out = out << 8 | byte_at(bmp, at + static_cast<std::size_t>(--bytes));
    return out;
  };
  EXPECT_EQ(le(2, 4), bmp.size());
  EXPECT_EQ(le(10, 4), kHeaders);
  EXPECT_EQ(le(14, 4), 40u);
  EXPECT_EQ(le(18, 4), 5u);
  EXPECT_EQ(le(22, 4), 4u);
  EXPECT_EQ(le(26, 2), 1u);
  EXPECT_EQ(le(28, 2), 24u);
  EXPECT_EQ(le(30, 4), 0u);
  // The last row comes first, its blue before its red.
  EXPECT_EQ(le(kHeaders, 1), image.rgb[3 * 5 * 3 + 2]);
  EXPECT_EQ(le(kHeaders + 2, 1), image.rgb[3 * 5 * 3]);
}

TEST(Format, WebpIsLossless) {
  const Bytes webp = encode_image(noise(5, 4, 3), ".webp");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(webp.data()) + 8, 8), "WEBPVP8L");
}

}  // namespace
}  // namespace fovea::image::test
