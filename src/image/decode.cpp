#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checked.hpp"
#include "image/byte_order.hpp"
#include "image/codec.hpp"
#include "image/exif.hpp"
#include "image/geometry.hpp"
#include "image/read_file.hpp"

namespace fovea {
namespace image {

Image allocate_image(std::int64_t width, std::int64_t height) {
  check_declared(width, height);
  Image out{static_cast<int>(width), static_cast<int>(height), {}};
  const std::int64_t shape[] = {height, width, 3};
  out.rgb.resize(static_cast<std::size_t>(base::element_count(shape, ErrorCode::bad_input)));
  return out;
}

namespace {

constexpr std::string_view kJpeg = "\xFF\xD8\xFF";
constexpr std::string_view kPng = "\x89PNG\r\n\x1A\n";

bool is_webp(Bytes file) {
  return has_text(file, 0, "RIFF") && has_text(file, 8, "WEBP");
}

bool is_bmp(Bytes file) {
  return has_text(file, 0, "BM");
}

bool is_tiff(Bytes file) {
  for (const std::string_view start : {std::string_view("II*\0", 4), std::string_view("MM\0*", 4),
                                       std::string_view("II+\0", 4), std::string_view("MM\0+", 4)})
    if (has_text(file, 0, start)) return true;
  return false;
}

// The first bytes of what gzip packed; none where it is no sound gzip.
std::vector<std::uint8_t> unpacked_start(Bytes file) {
  constexpr int kGzip = 15 + 16;
  std::vector<std::uint8_t> out(352);
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK) return {};
  stream.next_in = const_cast<Bytef*>(file.data());
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(file.size(), 1 << 16));
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_SYNC_FLUSH);
  out.resize(status == Z_OK || status == Z_STREAM_END ? out.size() - stream.avail_out : 0);
  inflateEnd(&stream);
  return out;
}

bool is_nifti(Bytes file) {
  constexpr std::size_t kMagic1 = 344, kMagic2 = 4;
  return has_text(file, kMagic1, std::string_view("n+1\0", 4)) ||
         has_text(file, kMagic1, std::string_view("ni1\0", 4)) ||
         has_text(file, kMagic2, std::string_view("n+2\0", 4)) ||
         has_text(file, kMagic2, std::string_view("ni2\0", 4));
}

// A medical file is named for what it is: its values need a window or a slice that nothing says.
Error unread(Bytes file) {
  if (has_text(file, 128, "DICM"))
    return bad_image(
        "this is a DICOM file, whose values need a window to be a picture: convert it to PNG or "
        "TIFF, or give its values as a tensor with --input");
  std::vector<std::uint8_t> packed;
  if (has_text(file, 0, "\x1F\x8B")) packed = unpacked_start(file);
  if (is_nifti(file) || is_nifti(packed))
    return bad_image(
        "this is a NIfTI volume, not a picture: give its values as a tensor with --input");
  return bad_image("not a JPEG, PNG, BMP, WebP or TIFF image");
}

Image decode_and_orient(Bytes file) {
  if (file.empty()) throw bad_image("the image file is empty");
  if (has_text(file, 0, kJpeg)) return oriented(decode_jpeg(file), jpeg_orientation(file));
  if (has_text(file, 0, kPng)) return oriented(decode_png(file), png_orientation(file));
  if (is_webp(file)) return oriented(decode_webp(file), webp_orientation(file));
  if (is_bmp(file)) return decode_bmp(file);
  if (is_tiff(file)) {
    int orientation = 1;
    Image image = decode_tiff(file, orientation);
    return oriented(std::move(image), orientation);
  }
  throw unread(file);
}

ReducedImage in_full(Image image) {
  const int width = image.width, height = image.height;
  return {std::move(image),
          width,
          height,
          {0, 0, static_cast<double>(width), static_cast<double>(height)}};
}

ReducedImage decode_for(Bytes file, const Preprocess& recipe, std::int64_t input_width,
                        std::int64_t input_height) {
  if (!has_text(file, 0, kJpeg)) return in_full(decode_and_orient(file));
  const auto [width, height] = jpeg_extents(file);
  const int orientation = jpeg_orientation(file);
  ReducedImage out;
  out.width = static_cast<int>(orientation >= 5 ? height : width);
  out.height = static_cast<int>(orientation >= 5 ? width : height);
  const int eighths =
      enough_eighths(place(out.width, out.height, recipe, input_width, input_height), recipe);
  out.image = decode_jpeg(file, eighths);
  // The last pixel of a row or column may stand for fewer of the photo's than the others.
  const View whole{0, 0, static_cast<double>(width) * eighths / 8,
                   static_cast<double>(height) * eighths / 8};
  out.whole = oriented(whole, out.image.width, out.image.height, orientation);
  out.image = oriented(std::move(out.image), orientation);
  return out;
}

// Runs `body` and gives every error the name of the file.
template <class Body>
auto with_name(const std::string& name, Body&& body) {
  try {
    return guarded(body);
  } catch (const Error& error) {
    throw error.with({name, "", ""});
  }
}

}  // namespace

bool is_known_format(Bytes file) {
  return has_text(file, 0, kJpeg) || has_text(file, 0, kPng) || is_webp(file) || is_bmp(file) ||
         is_tiff(file);
}

}  // namespace image

Image decode_image(std::span<const std::byte> bytes, const std::string& name) {
  return image::with_name(name, [&] { return image::decode_and_orient(image::as_bytes(bytes)); });
}

ReducedImage decode_reduced(std::span<const std::byte> bytes, const Preprocess& recipe,
                            std::int64_t input_width, std::int64_t input_height,
                            const std::string& name) {
  return image::with_name(name, [&] {
    return image::decode_for(image::as_bytes(bytes), recipe, input_width, input_height);
  });
}

ReducedImage read_reduced(const std::filesystem::path& file, const Preprocess& recipe,
                          std::int64_t input_width, std::int64_t input_height) {
  const std::string name = file.string();
  const auto bytes = image::with_name(name, [&] { return image::read_file(file); });
  return decode_reduced(bytes, recipe, input_width, input_height, name);
}

Image read_image(const std::filesystem::path& file) {
  const std::string name = file.string();
  const auto bytes = image::with_name(name, [&] { return image::read_file(file); });
  return decode_image(bytes, name);
}

}  // namespace fovea
