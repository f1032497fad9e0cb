#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace fovea::image {

/// Writes the bytes to a new file beside `file` and renames it into place, so that `file` is seen
/// whole or not at all; whatever goes wrong, nothing is left behind. A symbolic link is followed.
/// Throws Error(bad_input).
void write_atomically(const std::filesystem::path& file, std::span<const std::byte> bytes);

}  // namespace fovea::image
