#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/image.hpp"
#include "image/check.hpp"

/// A decoder and an encoder per format. A decoder looks at the size that the header declares before
/// it allocates anything of that size, refuses a file that stops before its end, prints nothing,
/// and leaves EXIF orientation to the caller. Errors carry no file name: decode_image adds it.
namespace fovea::image {

using Bytes = std::span<const std::uint8_t>;

inline Bytes as_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

/// Does it begin as an image of one of the formats does?
bool is_known_format(Bytes file);

inline Error bad_image(const std::string& sentence) {
  return Error(ErrorCode::bad_input, sentence);
}

/// Throws Error(bad_input) unless an image of this size may be decoded.
inline void check_declared(std::int64_t width, std::int64_t height) {
  check_extents(width, height, ErrorCode::bad_input);
}

/// An image of this size with its pixels allocated; checks the size first.
Image allocate_image(std::int64_t width, std::int64_t height);

/// At so many eighths of its size, rounded up: 1, 2, 4 or 8.
Image decode_jpeg(Bytes file, int eighths = 8);
/// The extents that the header declares, checked as decode_jpeg does.
std::pair<std::int64_t, std::int64_t> jpeg_extents(Bytes file);
Image decode_png(Bytes file);
Image decode_bmp(Bytes file);
Image decode_webp(Bytes file);
/// The first page, of 8 or 16 bits a sample, and how it is to be turned.
Image decode_tiff(Bytes file, int& orientation);

/// How the picture is to be turned (1 to 8), as the file says beside its pixels.
int jpeg_orientation(Bytes file);
int png_orientation(Bytes file);
int webp_orientation(Bytes file);

/// Of an image that check_image has passed. Throws Error(internal) where a library gives up.
std::vector<std::byte> encode_jpeg(const Image& image);
/// The texts, which check_texts has passed, stand in front of the pixels: as tEXt where they are
/// ASCII, which everything reads, else as iTXt.
std::vector<std::byte> encode_png(const Image& image, std::span<const ImageText> texts);
std::vector<std::byte> encode_bmp(const Image& image);
/// Lossless. Throws Error(invalid_argument) where a side is longer than the format allows.
std::vector<std::byte> encode_webp(const Image& image);

inline Error not_encoded() {
  return Error(ErrorCode::internal, "the image cannot be encoded");
}

}  // namespace fovea::image
