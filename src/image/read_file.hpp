#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace fovea::image {

/// The whole of an image file (a regular one or a pipe), as far as one may be large; of what is no
/// image perhaps a beginning. Throws Error(bad_input) without the file's name.
std::vector<std::byte> read_file(const std::filesystem::path& file);

}  // namespace fovea::image
