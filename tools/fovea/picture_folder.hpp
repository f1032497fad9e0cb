#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "asked.hpp"
#include "fovea/error.hpp"
#include "fovea/session.hpp"

/// A folder of photos.
namespace fovea::cli {

/// Its pictures by their extension, also in folders below it, sorted by name, as seen from it;
/// `unreadable` is told the folders below that may not be read. Throws Error bad_input where there
/// is no such folder, it may not be read, or no picture is in it.
std::vector<std::string> pictures_in(const std::string& folder,
                                     std::vector<std::string>* unreadable = nullptr);

/// The picture is at fault, not what is asked of it.
bool is_unreadable(const Error& error);

/// A session whose photo is the first of `names` from `first` on that can be read, which is asked
/// for before the model is. `first` becomes its place; the others are warned of.
Session open_at_first(Asked asked, const std::string& folder, const std::vector<std::string>& names,
                      std::size_t& first, std::vector<std::string>& warnings);

}  // namespace fovea::cli
