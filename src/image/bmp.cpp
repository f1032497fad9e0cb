#include <cstddef>
#include <cstdlib>
#include <string>

#include "image/byte_order.hpp"
#include "image/codec.hpp"

namespace fovea::image {
namespace {

constexpr std::size_t kFileHeader = 14;
constexpr std::size_t kCoreHeader = 12;
constexpr std::size_t kInfoHeader = 40;
constexpr std::size_t kMaxHeader = 124;
constexpr std::size_t kMasks = 12;
constexpr std::uint32_t kPlain = 0, kBitFields = 3;

struct Masks {
  std::uint32_t red, green, blue;
  bool operator==(const Masks&) const = default;
};

struct BmpHeader {
  std::size_t pixels_at = 0, header = 0;
  std::int64_t width = 0, height = 0;
  std::uint32_t bits = 0, compression = kPlain, colors = 0;
};

BmpHeader read_header(Bytes file) {
  if (file.size() < kFileHeader + 4) throw bad_image("the BMP is cut off");
  BmpHeader bmp;
  bmp.pixels_at = le32(file, 10);
  bmp.header = le32(file, kFileHeader);
  const bool core = bmp.header == kCoreHeader;
  if (!core && (bmp.header < kInfoHeader || bmp.header > kMaxHeader))
    throw bad_image("not a sound BMP: a header of " + std::to_string(bmp.header) + " bytes");
  if (file.size() < kFileHeader + bmp.header) throw bad_image("the BMP is cut off");
  if (core) {
    bmp.width = le16(file, 18);
    bmp.height = le16(file, 20);
    bmp.bits = le16(file, 24);
  } else {
    bmp.width = static_cast<std::int32_t>(le32(file, 18));
    // Rows from the top are marked by a negative height.
    bmp.height = std::llabs(static_cast<std::int32_t>(le32(file, 22)));
    bmp.bits = le16(file, 28);
    bmp.compression = le32(file, 30);
    bmp.colors = le32(file, 46);
  }
  return bmp;
}

bool supported_format(Bytes file, const BmpHeader& bmp) {
  if (bmp.compression == kPlain)
    return bmp.bits == 1 || bmp.bits == 4 || bmp.bits == 8 || bmp.bits == 16 || bmp.bits == 24 ||
           bmp.bits == 32;
  if (bmp.compression != kBitFields) return false;
  // The masks follow the short header, and stand at the same place inside the longer ones.
  constexpr std::size_t at = kFileHeader + kInfoHeader;
  if (file.size() < at + kMasks) return false;
  const Masks masks{le32(file, at), le32(file, at + 4), le32(file, at + 8)};
  if (bmp.bits == 32) return masks == Masks{0xFF0000, 0xFF00, 0xFF};
  // OpenCV looks for 16-bit masks behind the header, where only the short one has them.
  return bmp.bits == 16 && bmp.header == kInfoHeader &&
         (masks == Masks{0x7C00, 0x3E0, 0x1F} || masks == Masks{0xF800, 0x7E0, 0x1F});
}

}  // namespace

Image decode_bmp(Bytes file) {
  const BmpHeader bmp = read_header(file);
  check_declared(bmp.width, bmp.height);
  if (!supported_format(file, bmp))
    throw bad_image("a BMP of " + std::to_string(bmp.bits) + " bits and compression " +
                    std::to_string(bmp.compression) + " is not supported");

  std::size_t tables = 0;
  if (bmp.bits <= 8) {
    if (bmp.colors > (1u << bmp.bits)) throw bad_image("not a sound BMP: too many colours");
    const std::size_t entry = bmp.header == kCoreHeader ? 3 : 4;
    tables = entry * (bmp.colors == 0 ? std::size_t{1} << bmp.bits : bmp.colors);
  } else if (bmp.compression == kBitFields && bmp.header == kInfoHeader) {
    tables = kMasks;
  }
  const std::size_t row = (static_cast<std::size_t>(bmp.width) * bmp.bits + 31) / 32 * 4;
  const std::size_t need = row * static_cast<std::size_t>(bmp.height);
  if (bmp.pixels_at < kFileHeader + bmp.header + tables)
    throw bad_image("not a sound BMP: its pixels overlap its header");
  if (bmp.pixels_at > file.size() || file.size() - bmp.pixels_at < need)
    throw bad_image("the BMP is cut off");
  return decode_with_opencv(file, bmp.width, bmp.height);
}

}  // namespace fovea::image
