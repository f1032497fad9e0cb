#include "image/read_file.hpp"

#include <algorithm>
#include <cstdint>

#include "base/input_file.hpp"
#include "image/codec.hpp"

namespace fovea::image {
namespace {

// The largest image within the limits, uncompressed, with 16 bits for each of four channels.
constexpr std::size_t kMaxFile = 8 * static_cast<std::size_t>(kMaxPixels) + (std::size_t{1} << 20);

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& file) {
  base::InputFile input(file, "image", ErrorCode::bad_input);
  std::vector<std::byte> bytes;
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  bytes.reserve(std::min<std::uint64_t>(input.size(), kMaxFile) + kPiece);
  for (;;) {
    const std::size_t before = bytes.size();
    if (before > kMaxFile) throw bad_image("the image file is too large");
    bytes.resize(before + kPiece);
    const std::size_t got = input.read(std::span(bytes).subspan(before));
    bytes.resize(before + got);
    if (got < kPiece) return bytes;
    // What is no image is told from its first bytes, and a pipe may go on forever.
    if (before == 0 && !is_known_format(as_bytes(bytes))) return bytes;
  }
}

}  // namespace fovea::image
