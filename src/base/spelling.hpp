#pragma once

#include <cstddef>
#include <string_view>

namespace fovea::base {

/// Insertions, deletions and changes that turn one text into the other; `most` + 1 for all that are
/// more than `most`, which are not counted to their end.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t most);

}  // namespace fovea::base
