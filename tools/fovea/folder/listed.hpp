#pragma once

#include <string>
#include <vector>

namespace fovea::cli {

/// The photos of one call, each once, in order.
struct Listed {
  std::vector<std::string> files;
  /// For each, what its own outputs are called within their folders: where it lies, as seen from
  /// the folder of photos (of a list: its path, without a leading /, ".." as "up"), with its
  /// extension. No two are the same; valid UTF-8.
  std::vector<std::string> names;
  std::vector<std::string> warnings;
};

/// `images`: a folder, with the folders in it, sorted by name; a text file with a path on each
/// line; or "-", the same from standard input. Where the text has a zero byte, zero bytes end the
/// paths. `but` is a folder that is left out. Throws Error bad_input where there are no photos, or
/// the folder or the list cannot be read.
Listed listed_photos(const std::string& images, const std::string& but);

/// A name for each of `wanted` that no other and none of `taken` has: its own, or with -2, -3, ...
/// behind it.
std::vector<std::string> own_names(const std::vector<std::string>& wanted,
                                   const std::vector<std::string>& taken);

/// What the files of a photo at this path are to be called.
std::string wanted_name(const std::string& path);

}  // namespace fovea::cli
