#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>

namespace fovea::base {

/// Writes the pieces, one after the other, to a new file beside `file` and renames it into place,
/// so that `file` is seen whole or not at all; whatever goes wrong, nothing is left behind. A
/// symbolic link is followed. Throws Error(bad_input), "cannot write `what`: ...".
void write_atomically(const std::filesystem::path& file,
                      std::initializer_list<std::span<const std::byte>> pieces,
                      const std::string& what);

}  // namespace fovea::base
