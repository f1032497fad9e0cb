#include "image/check.hpp"

#include <string>

#include "base/checked.hpp"

namespace fovea::image {
namespace {

Error refused(const std::string& sentence) {
  return Error(ErrorCode::invalid_argument, sentence);
}

std::size_t count(std::span<const std::int64_t> shape) {
  return static_cast<std::size_t>(base::element_count(shape, ErrorCode::invalid_argument));
}

}  // namespace

void check_extents(std::int64_t width, std::int64_t height, ErrorCode code) {
  if (width <= 0 || height <= 0) throw Error(code, "the image has no pixels");
  if (width > kMaxSide || height > kMaxSide || base::checked_mul(width, height, code) > kMaxPixels)
    throw Error(code, "the image is too large: " + std::to_string(width) + " x " +
                          std::to_string(height) + " (at most 16384 a side and 64 megapixels)");
}

void check_image(const Image& image) {
  check_extents(image.width, image.height, ErrorCode::invalid_argument);
  const std::int64_t shape[] = {image.height, image.width, 3};
  if (image.rgb.size() != count(shape))
    throw refused("an image of " + std::to_string(image.width) + " x " +
                  std::to_string(image.height) + " holds " + std::to_string(image.rgb.size()) +
                  " bytes instead of 3 per pixel");
}

void check_map(const Tensor& map) {
  if (map.shape.size() != 2 || map.shape[0] <= 0 || map.shape[1] <= 0)
    throw refused("a map to draw must have two positive extents [h, w]");
  if (map.data.size() != count(map.shape))
    throw refused("a map holds another number of values than its shape says");
}

}  // namespace fovea::image
