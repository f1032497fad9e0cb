#include <algorithm>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/atomic_file.hpp"
#include "image/check.hpp"
#include "image/opencv.hpp"
#include "image/png_text.hpp"

namespace fovea {
namespace image {
namespace {

// What cv::imencode calls the format.
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

std::vector<std::byte> encode(const Image& image, const std::string& format) {
  check_image(image);
  constexpr int kMaxWebpSide = 16383;
  if (format == ".webp" && std::max(image.width, image.height) > kMaxWebpSide)
    throw Error(ErrorCode::invalid_argument, "a WebP has at most 16383 pixels a side");
  const Error failed(ErrorCode::internal, "the image cannot be encoded");
  std::vector<std::uint8_t> encoded;
  const bool done = translated(failed, [&] {
    cv::Mat bgr(image.height, image.width, CV_8UC3);
    const std::uint8_t* from = image.rgb.data();
    for (int y = 0; y < image.height; ++y) {
      std::uint8_t* to = bgr.ptr<std::uint8_t>(y);
      for (int x = 0; x < image.width; ++x, from += 3, to += 3) {
        to[0] = from[2];
        to[1] = from[1];
        to[2] = from[0];
      }
    }
    return cv::imencode(format, bgr, encoded);
  });
  if (!done) throw failed;
  const auto* first = reinterpret_cast<const std::byte*>(encoded.data());
  return {first, first + encoded.size()};
}

}  // namespace
}  // namespace image

std::vector<std::byte> encode_image(const Image& image, std::string_view extension,
                                    const EncodeOptions& options) {
  const std::string format = image::format_of(extension);
  image::check_texts(options.texts);
  return image::guarded([&] {
    auto bytes = image::encode(image, format);
    return format == ".png" ? image::with_texts(std::move(bytes), options.texts) : bytes;
  });
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
