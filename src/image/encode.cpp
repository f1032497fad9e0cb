#include <algorithm>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "image/check.hpp"
#include "image/codec.hpp"
#include "image/png_text.hpp"

namespace fovea {
namespace image {
namespace {

// The extension in lower case.
std::string format_of(std::string_view extension) {
  std::string name(extension);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const char* known : {".png", ".jpg", ".jpeg", ".bmp", ".webp"})
    if (name == known) return name;
  throw Error(ErrorCode::invalid_argument,
              "cannot write an image as '" + std::string(extension.substr(0, 16)) +
                  "': the extension must be .png, .jpg, .jpeg, .bmp or .webp");
}

std::vector<std::byte> encode(const Image& image, const std::string& format,
                              std::span<const ImageText> texts) {
  check_image(image);
  if (format == ".png") return encode_png(image, texts);
  if (format == ".bmp") return encode_bmp(image);
  if (format == ".webp") return encode_webp(image);
  return encode_jpeg(image);
}

}  // namespace
}  // namespace image

std::vector<std::byte> encode_image(const Image& image, std::string_view extension,
                                    const EncodeOptions& options) {
  const std::string format = image::format_of(extension);
  image::check_texts(options.texts);
  return image::guarded([&] { return image::encode(image, format, options.texts); });
}

void write_image(const std::filesystem::path& file, const Image& image,
                 const EncodeOptions& options) {
  try {
    const auto bytes = encode_image(image, file.extension().string(), options);
    base::write_atomically(file, {bytes}, "the image");
  } catch (const Error& error) {
    throw error.with({file.string(), "", ""});
  }
}

}  // namespace fovea
