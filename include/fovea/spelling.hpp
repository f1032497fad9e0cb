#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fovea/export.hpp"

/// What somebody may have meant by a name that does not exist.
namespace fovea {

/// Up to `count` of the names that look most like `name`, best first, to be suggested where a name
/// is unknown: those that contain it or are within half its length of it, whatever the case.
FOVEA_API std::vector<std::string> closest_names(const std::vector<std::string>& names,
                                                 const std::string& name, std::size_t count = 3);

/// Those as a question at the end of a sentence: "; did you mean 'a' or 'b'?", or nothing.
FOVEA_API std::string did_you_mean(const std::vector<std::string>& names, const std::string& name);

}  // namespace fovea
