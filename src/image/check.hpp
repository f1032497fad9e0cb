#pragma once

#include <cstdint>
#include <new>

#include "fovea/error.hpp"
#include "fovea/image.hpp"

/// What the public functions ask of their arguments. Unless said otherwise each of these throws
/// Error(invalid_argument).
namespace fovea::image {

inline constexpr std::int64_t kMaxSide = 16384;
/// 64 megapixels, as 2^26: sensors sold under that name have slightly more than 64 million.
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 26;

/// Positive extents within the limits above, or Error(code).
void check_extents(std::int64_t width, std::int64_t height, ErrorCode code);

/// Extents within the limits, and as many bytes as they say.
void check_image(const Image& image);

/// Rank 2, positive extents, and as many values as they say.
void check_map(const Tensor& map);

/// Runs a public function's body; running out of memory is an Error as everything else.
template <class Body>
auto guarded(Body&& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "not enough memory for the image");
  }
}

}  // namespace fovea::image
