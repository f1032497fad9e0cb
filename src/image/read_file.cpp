#include "image/read_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <system_error>

#include "image/codec.hpp"

namespace fovea::image {
namespace {

// The largest image within the limits, uncompressed, with 16 bits for each of four channels.
constexpr std::size_t kMaxFile = 8 * static_cast<std::size_t>(kMaxPixels) + (std::size_t{1} << 20);

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& file) {
  std::error_code status;
  if (std::filesystem::is_directory(file, status)) throw bad_image("a directory, not an image");
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw bad_image("cannot open the image: " + std::generic_category().message(errno));
  std::vector<std::byte> bytes;
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  const auto size = std::filesystem::file_size(file, status);
  if (!status) bytes.reserve(std::min<std::uintmax_t>(size, kMaxFile) + kPiece);
  while (stream) {
    const std::size_t before = bytes.size();
    if (before > kMaxFile) throw bad_image("the image file is too large");
    bytes.resize(before + kPiece);
    stream.read(reinterpret_cast<char*>(bytes.data() + before), kPiece);
    bytes.resize(before + static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) throw bad_image("cannot read the image");
  return bytes;
}

}  // namespace fovea::image
