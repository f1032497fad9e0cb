#include <cstddef>
#include <string_view>
#include <utility>

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

Image decode_and_orient(Bytes file) {
  if (file.empty()) throw bad_image("the image file is empty");
  if (has_text(file, 0, kJpeg)) return oriented(decode_jpeg(file), jpeg_orientation(file));
  if (has_text(file, 0, kPng)) return oriented(decode_png(file), png_orientation(file));
  if (is_webp(file)) return oriented(decode_webp(file), webp_orientation(file));
  if (is_bmp(file)) return decode_bmp(file);
  throw bad_image("not a JPEG, PNG, BMP or WebP image");
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
  return has_text(file, 0, kJpeg) || has_text(file, 0, kPng) || is_webp(file) || is_bmp(file);
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
