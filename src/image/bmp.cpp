#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "base/checked.hpp"
#include "image/byte_order.hpp"
#include "image/codec.hpp"

namespace fovea::image {
namespace {

constexpr std::size_t kFileHeader = 14;
constexpr std::size_t kCoreHeader = 12;
constexpr std::size_t kInfoHeader = 40;
constexpr std::size_t kMaxHeader = 124;
constexpr std::size_t kMasks = 12;
constexpr std::size_t kChannels = 3;
constexpr std::uint32_t kPlain = 0, kBitFields = 3;

struct Masks {
  std::uint32_t red, green, blue;
  bool operator==(const Masks&) const = default;
};

struct BmpHeader {
  std::size_t pixels_at = 0, header = 0;
  std::int64_t width = 0, height = 0;
  bool top_down = false;
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
    const std::int64_t height = static_cast<std::int32_t>(le32(file, 22));
    bmp.height = std::llabs(height);
    bmp.top_down = height < 0;
    bmp.bits = le16(file, 28);
    bmp.compression = le32(file, 30);
    bmp.colors = le32(file, 46);
  }
  return bmp;
}

// The masks follow the short header, and stand at the same place inside the longer ones.
constexpr std::size_t kMasksAt = kFileHeader + kInfoHeader;
constexpr Masks k888{0xFF0000, 0xFF00, 0xFF}, k565{0xF800, 0x7E0, 0x1F}, k555{0x7C00, 0x3E0, 0x1F};

Masks masks_of(Bytes file, const BmpHeader& bmp) {
  if (bmp.compression != kBitFields) return bmp.bits == 16 ? k555 : k888;
  if (file.size() < kMasksAt + kMasks) throw bad_image("the BMP is cut off");
  return {le32(file, kMasksAt), le32(file, kMasksAt + 4), le32(file, kMasksAt + 8)};
}

bool supported_format(Bytes file, const BmpHeader& bmp) {
  if (bmp.compression == kPlain)
    return bmp.bits == 1 || bmp.bits == 4 || bmp.bits == 8 || bmp.bits == 16 || bmp.bits == 24 ||
           bmp.bits == 32;
  if (bmp.compression != kBitFields) return false;
  const Masks masks = masks_of(file, bmp);
  return bmp.bits == 32 ? masks == k888 : bmp.bits == 16 && (masks == k555 || masks == k565);
}

using Palette = std::array<std::array<std::uint8_t, kChannels>, 256>;

// Black where the file has fewer entries than its pixels may name.
Palette read_palette(Bytes table, std::size_t entry) {
  Palette palette{};
  for (std::size_t i = 0; (i + 1) * entry <= table.size(); ++i)
    palette[i] = {table[i * entry + 2], table[i * entry + 1], table[i * entry]};
  return palette;
}

void unpack_indices(const std::uint8_t* row, std::uint32_t bits, const Palette& palette,
                    std::span<std::uint8_t> rgb) {
  const std::size_t per_byte = 8 / bits;
  const std::uint32_t most = (1u << bits) - 1;
  for (std::size_t x = 0; x < rgb.size() / kChannels; ++x) {
    const std::size_t lower = bits * (per_byte - 1 - x % per_byte);
    const auto& color = palette[row[x / per_byte] >> lower & most];
    std::copy(color.begin(), color.end(), rgb.begin() + static_cast<std::ptrdiff_t>(x * kChannels));
  }
}

// The missing low bits are zeros, so white is 248 (green of six bits: 252).
void unpack_16(const std::uint8_t* row, const Masks& masks, std::span<std::uint8_t> rgb) {
  const bool wide_green = masks == k565;
  for (std::size_t at = 0; at < rgb.size(); at += kChannels, row += 2) {
    const std::uint32_t word = row[0] | static_cast<std::uint32_t>(row[1]) << 8;
    rgb[at] = static_cast<std::uint8_t>(word >> (wide_green ? 8 : 7) & 0xF8);
    rgb[at + 1] = static_cast<std::uint8_t>(wide_green ? word >> 3 & 0xFC : word >> 2 & 0xF8);
    rgb[at + 2] = static_cast<std::uint8_t>(word << 3 & 0xF8);
  }
}

void unpack_bytes(const std::uint8_t* row, std::size_t step, std::span<std::uint8_t> rgb) {
  for (std::size_t at = 0; at < rgb.size(); at += kChannels, row += step) {
    rgb[at] = row[2];
    rgb[at + 1] = row[1];
    rgb[at + 2] = row[0];
  }
}

// Rows of whole words of four bytes.
std::size_t bytes_per_row(std::int64_t width, std::int64_t bits) {
  return static_cast<std::size_t>(base::checked_mul(
      (base::checked_mul(width, bits, ErrorCode::bad_input) + 31) / 32, 4, ErrorCode::bad_input));
}

}  // namespace

Image decode_bmp(Bytes file) {
  const BmpHeader bmp = read_header(file);
  check_declared(bmp.width, bmp.height);
  if (!supported_format(file, bmp))
    throw bad_image("a BMP of " + std::to_string(bmp.bits) + " bits and compression " +
                    std::to_string(bmp.compression) + " is not supported");

  std::size_t tables = 0;
  const std::size_t entry = bmp.header == kCoreHeader ? 3 : 4;
  if (bmp.bits <= 8) {
    if (bmp.colors > (1u << bmp.bits)) throw bad_image("not a sound BMP: too many colours");
    tables = entry * (bmp.colors == 0 ? std::size_t{1} << bmp.bits : bmp.colors);
  } else if (bmp.compression == kBitFields && bmp.header == kInfoHeader) {
    tables = kMasks;
  }
  const std::size_t stride = bytes_per_row(bmp.width, bmp.bits);
  const auto need = static_cast<std::size_t>(
      base::checked_mul(static_cast<std::int64_t>(stride), bmp.height, ErrorCode::bad_input));
  const std::size_t tables_at = kFileHeader + bmp.header;
  if (bmp.pixels_at < tables_at + tables)
    throw bad_image("not a sound BMP: its pixels overlap its header");
  if (bmp.pixels_at > file.size() || file.size() - bmp.pixels_at < need)
    throw bad_image("the BMP is cut off");

  const Palette palette =
      read_palette(bmp.bits <= 8 ? file.subspan(tables_at, tables) : Bytes(), entry);
  const Masks masks = masks_of(file, bmp);
  Image out = allocate_image(bmp.width, bmp.height);
  const std::size_t out_stride = kChannels * static_cast<std::size_t>(out.width);
  const auto height = static_cast<std::size_t>(out.height);
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* row = file.data() + bmp.pixels_at + y * stride;
    const std::size_t to = bmp.top_down ? y : height - 1 - y;
    const auto rgb = std::span(out.rgb).subspan(to * out_stride, out_stride);
    if (bmp.bits <= 8)
      unpack_indices(row, bmp.bits, palette, rgb);
    else if (bmp.bits == 16)
      unpack_16(row, masks, rgb);
    else
      unpack_bytes(row, bmp.bits / 8, rgb);
  }
  return out;
}

std::vector<std::byte> encode_bmp(const Image& image) {
  constexpr std::uint32_t kBits = 24;
  constexpr std::size_t kHeaders = kFileHeader + kInfoHeader;
  const std::size_t stride = bytes_per_row(image.width, kBits);
  const auto height = static_cast<std::size_t>(image.height);
  std::vector<std::byte> out(kHeaders + stride * height);
  std::size_t at = 0;
  const auto put = [&](int bytes, std::size_t value) {
    for (; bytes > 0; --bytes, value >>= 8) out[at++] = static_cast<std::byte>(value & 0xFF);
  };
  put(1, 'B');
  put(1, 'M');
  put(4, out.size());
  put(4, 0);
  put(4, kHeaders);
  put(4, kInfoHeader);
  put(4, static_cast<std::size_t>(image.width));
  put(4, height);
  put(2, 1);  // planes
  put(2, kBits);
  // What follows in the header may be zero: no compression, no size, no resolution, no palette.
  const std::size_t row_bytes = kChannels * static_cast<std::size_t>(image.width);
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* from = image.rgb.data() + (height - 1 - y) * row_bytes;
    std::byte* to = out.data() + kHeaders + y * stride;
    for (std::size_t x = 0; x < row_bytes; x += kChannels)
      for (std::size_t c = 0; c < kChannels; ++c) to[x + c] = std::byte{from[x + 2 - c]};
  }
  return out;
}

}  // namespace fovea::image
