// BMPs made here, of every kind that is read, against what their definition says of each pixel.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

constexpr std::size_t kShort = 40;

void append(Bytes& to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> 8 * i));
}

struct Kind {
  std::size_t header = kShort;
  int width = 0, height = 0;  // a negative height: rows from the top
  std::uint32_t bits = 0, compression = 0;
  std::vector<std::uint32_t> palette = {};  // 0xRRGGBB
  std::vector<std::uint32_t> masks = {};
};

/// `values`: what each pixel holds, rows from the top.
Bytes bmp(const Kind& kind, const std::vector<std::uint32_t>& values) {
  const bool core = kind.header == 12;
  Bytes rows;
  const int height = std::abs(kind.height);
  for (int i = 0; i < height; ++i) {
    const int y = kind.height < 0 ? i : height - 1 - i;
    std::string bits;
    for (int x = 0; x < kind.width; ++x) {
      const std::uint32_t value = values.at(static_cast<std::size_t>(y * kind.width + x));
      // Whole bytes stand the lowest first; within a byte the left pixel is the highest.
      for (std::uint32_t at = 0; at < kind.bits; at += 8)
        for (int bit = static_cast<int>(std::min(kind.bits, 8u)) - 1; bit >= 0; --bit)
          bits += (value >> (at + static_cast<std::uint32_t>(bit)) & 1) != 0 ? '1' : '0';
    }
    bits.resize((bits.size() + 31) / 32 * 32, '0');
    for (std::size_t at = 0; at < bits.size(); at += 8)
      rows.push_back(static_cast<std::byte>(std::stoi(bits.substr(at, 8), nullptr, 2)));
  }
  Bytes header;
  append(header, kind.header, 4);
  append(header, static_cast<std::uint32_t>(kind.width), core ? 2 : 4);
  append(header, static_cast<std::uint32_t>(kind.height), core ? 2 : 4);
  append(header, 1, 2);
  append(header, kind.bits, 2);
  if (!core) {
    append(header, kind.compression, 4);
    header.resize(32);
    append(header, kind.palette.size(), 4);
    header.resize(kShort);
    for (const auto mask : kind.masks) append(header, mask, 4);
    if (kind.header > kShort) header.resize(kind.header);
  }
  for (const auto color : kind.palette) append(header, color, core ? 3 : 4);
  Bytes file{std::byte{'B'}, std::byte{'M'}};
  append(file, 14 + header.size() + rows.size(), 4);
  append(file, 0, 4);
  append(file, 14 + header.size(), 4);
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), rows.begin(), rows.end());
  return file;
}

Image picture(const Kind& kind, const std::vector<std::uint32_t>& colors) {
  Image image{kind.width, std::abs(kind.height), {}};
  for (const auto color : colors)
    for (const int shift : {16, 8, 0})
      image.rgb.push_back(static_cast<std::uint8_t>(color >> shift));
  return image;
}

std::vector<std::uint32_t> numbers(std::size_t count, std::uint32_t below, std::uint32_t seed) {
  Random random(seed);
  std::vector<std::uint32_t> out(count);
  for (auto& value : out) value = (random.next() >> 4) % below;
  return out;
}

TEST(Bmp, PaletteOf1And4And8Bits) {
  for (const std::size_t header : {std::size_t{12}, kShort, std::size_t{56}, std::size_t{124}})
    for (const std::uint32_t bits : {1u, 4u, 8u})
      for (const int width : {1, 8, 19})
        for (const int height : {5, -5}) {
          if (header == 12 && height < 0) continue;  // its height has no sign
          Kind kind{header, width, height, bits};
          kind.palette = numbers(std::size_t{1} << bits, 1u << 24, bits);
          const auto values = numbers(static_cast<std::size_t>(width) * 5, 1u << bits, 7);
          std::vector<std::uint32_t> colors;
          for (const auto value : values) colors.push_back(kind.palette[value]);
          EXPECT_EQ(largest_difference(decode_image(bmp(kind, values)), picture(kind, colors)), 0)
              << header << ' ' << bits << ' ' << width << ' ' << height;
        }
}

TEST(Bmp, WhatAPaletteLacksIsBlack) {
  Kind kind{kShort, 2, 1, 8};
  kind.palette = {0x112233};
  EXPECT_EQ(largest_difference(decode_image(bmp(kind, {0, 200})), picture(kind, {0x112233, 0})), 0);
}

TEST(Bmp, Of16BitsHasZerosForTheMissingOnes) {
  struct Layout {
    std::vector<std::uint32_t> masks = {};
    std::array<std::uint32_t, 3> at, bits;  // red, green, blue
  };
  const Layout layouts[] = {{{}, {10, 5, 0}, {5, 5, 5}},
                            {{0x7C00, 0x3E0, 0x1F}, {10, 5, 0}, {5, 5, 5}},
                            {{0xF800, 0x7E0, 0x1F}, {11, 5, 0}, {5, 6, 5}}};
  const auto values = numbers(7 * 4, 1u << 16, 3);
  for (const auto& [masks, at, bits] : layouts)
    for (const std::size_t header : {kShort, std::size_t{56}, std::size_t{108}}) {
      const Kind kind{header, 7, 4, 16, masks.empty() ? 0u : 3u, {}, masks};
      std::vector<std::uint32_t> colors;
      for (const auto value : values) {
        std::uint32_t color = 0;
        for (std::size_t c = 0; c < 3; ++c)
          color = color << 8 | (value >> at[c] & ((1u << bits[c]) - 1)) << (8 - bits[c]);
        colors.push_back(color);
      }
      EXPECT_EQ(largest_difference(decode_image(bmp(kind, values)), picture(kind, colors)), 0)
          << header << ' ' << bits[1] << ' ' << masks.size();
    }
}

TEST(Bmp, Of24And32Bits) {
  const auto values = numbers(5 * 3, 1u << 24, 4);
  for (const std::uint32_t bits : {24u, 32u})
    for (const int height : {3, -3}) {
      const Kind kind{kShort, 5, height, bits};
      auto stored = values;
      for (auto& value : stored) value |= 0x77000000;  // alpha, or nothing
      EXPECT_EQ(largest_difference(decode_image(bmp(kind, stored)), picture(kind, values)), 0)
          << bits << ' ' << height;
    }
}

TEST(Bmp, ThatHasItsPixelsInItsPaletteIsRefused) {
  Bytes file = bmp({kShort, 2, 1, 8, 0, {0x112233}}, {0, 0});
  put(file, 10, {54});
  EXPECT_EQ(decoding_error(file).sentence(), "not a sound BMP: its pixels overlap its header");
  // A palette of 256, for which the file has no room.
  put(file, 46, {0});
  EXPECT_EQ(decoding_error(file).sentence(), "not a sound BMP: its pixels overlap its header");
  put(file, 10, {58});
  EXPECT_EQ(decoding_error(file).sentence(), "not a sound BMP: its pixels overlap its header");
}

TEST(Bmp, OfMoreColoursThanItsPixelsCanNameIsRefused) {
  Bytes file = bmp({kShort, 2, 1, 4, 0, std::vector<std::uint32_t>(16)}, {0, 0});
  put(file, 46, {17});
  EXPECT_EQ(decoding_error(file).sentence(), "not a sound BMP: too many colours");
}

TEST(Bmp, OtherMasksAreRefused) {
  const Kind green5{kShort, 1, 1, 16, 3, {}, {0xF800, 0x7C0, 0x3F}};
  EXPECT_EQ(decoding_error(bmp(green5, {0})).sentence(),
            "a BMP of 16 bits and compression 3 is not supported");
  const Kind reversed{kShort, 1, 1, 32, 3, {}, {0xFF, 0xFF00, 0xFF0000}};
  EXPECT_EQ(decoding_error(bmp(reversed, {0})).sentence(),
            "a BMP of 32 bits and compression 3 is not supported");
}

TEST(Bmp, Of16BitsKeepsTheHighBitsOfEachChannel) {
  const Image expected = golden_picture("rgb.ppm");
  const Image got = decode_image(golden("masks16.bmp"));
  ASSERT_EQ(got.rgb.size(), expected.rgb.size());
  for (std::size_t i = 0; i < got.rgb.size(); ++i) {
    const int dropped = i % 3 == 1 ? 2 : 3;
    ASSERT_EQ(got.rgb[i] >> dropped, expected.rgb[i] >> dropped) << "byte " << i;
  }
}

TEST(Bmp, OfRunLengthsIsRefusedByName) {
  Bytes bytes = golden("palette8.bmp");
  put(bytes, 30, {1});
  EXPECT_EQ(decoding_error(bytes).sentence(), "a BMP of 8 bits and compression 1 is not supported");
}

}  // namespace
}  // namespace fovea::image::test
