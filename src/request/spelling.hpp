#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::request {

/// Insertions, deletions and changes that turn one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// "; did you mean 'a' or 'b'?", or nothing.
std::string did_you_mean(const std::vector<std::string>& names, const std::string& name);

}  // namespace fovea::request
