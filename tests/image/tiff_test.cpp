#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

std::uint32_t crc32(const std::vector<std::uint8_t>& bytes) {
  std::uint32_t crc = ~0u;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

// golden/tiffs.bin, or the file that FOVEA_TIFFS names, both by draw_tiffs.py.
TEST(Tiff, DrawnFilesHaveTheirPixels) {
  const char* const more = std::getenv("FOVEA_TIFFS");
  std::ifstream file(more == nullptr ? golden_path("tiffs.bin") : std::filesystem::path(more),
                     std::ios::binary);
  int cases = 0;
  for (std::uint32_t size = 0; file.read(reinterpret_cast<char*>(&size), sizeof size); ++cases) {
    Bytes bytes(size);
    std::array<std::uint32_t, 3> expected{};
    file.read(reinterpret_cast<char*>(bytes.data()), size);
    ASSERT_TRUE(file.read(reinterpret_cast<char*>(expected.data()), sizeof expected));
    SCOPED_TRACE(cases);
    const Image image = decode_image(bytes);
    EXPECT_EQ(image.width, static_cast<int>(expected[0]));
    EXPECT_EQ(image.height, static_cast<int>(expected[1]));
    EXPECT_EQ(crc32(image.rgb), expected[2]);
  }
  EXPECT_GE(cases, 100);
}

// As many bytes as a header says are never taken from it alone.
TEST(Tiff, WhatIsNotReadIsNamed) {
  Bytes tiff = golden("drawn3.tif");
  const auto with = [&](unsigned tag, unsigned value) {
    Bytes changed = tiff;
    const bool little = byte_at(tiff, 0) == 'I';
    const unsigned entries = byte_at(tiff, little ? 8 : 9);
    for (std::size_t i = 0; i < entries; ++i) {
      const std::size_t at = 10 + 12 * i;
      const unsigned low = byte_at(tiff, little ? at : at + 1);
      const unsigned high = byte_at(tiff, little ? at + 1 : at);
      if ((high << 8 | low) != tag) continue;
      const bool wide = byte_at(tiff, little ? at + 2 : at + 3) == 4;
      for (unsigned k = 0; k < (wide ? 4u : 2u); ++k) {
        const std::size_t byte = at + 8 + (little ? k : (wide ? 3 : 1) - k);
        changed.at(byte) = static_cast<std::byte>(value >> (8 * k));
      }
    }
    return decoding_error(changed).sentence();
  };
  EXPECT_NE(with(259, 7).find("compression 7"), std::string::npos) << with(259, 7);
  EXPECT_NE(with(262, 6).find("photometric interpretation 6"), std::string::npos);
  EXPECT_NE(with(277, 9), "");  // which contradicts the other fields
  EXPECT_NE(with(256, 100000), "");
  EXPECT_NE(with(257, 0xFFFFFFFF), "");
}

TEST(Tiff, MedicalFilesAreNamedForWhatTheyAre) {
  const auto sentence = [](Bytes bytes, std::size_t at, const std::string& magic) {
    bytes.resize(600);
    for (std::size_t i = 0; i < magic.size(); ++i) bytes[at + i] = static_cast<std::byte>(magic[i]);
    return decoding_error(bytes).sentence();
  };
  EXPECT_NE(sentence({}, 128, "DICM").find("DICOM"), std::string::npos);
  EXPECT_NE(sentence({}, 344, std::string("n+1\0", 4)).find("NIfTI"), std::string::npos);
  EXPECT_NE(sentence({}, 4, std::string("n+2\0", 4)).find("NIfTI"), std::string::npos);
  EXPECT_NE(sentence({}, 0, "nothing").find("not a JPEG"), std::string::npos);
}

}  // namespace
}  // namespace fovea::image::test
