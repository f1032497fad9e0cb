#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Names of classes.
namespace fovea::cli {

using Labels = std::vector<std::string>;

/// One label per line; a leading WordNet id ("n01440764 tench, Tinca tinca") is cut off; blank
/// lines at the end do not count.
Labels parse_labels(std::string_view text);

/// The same from a file. Throws Error invalid_argument naming the file.
Labels read_labels(const std::string& file);

/// The class whose label is `text`: the whole label; else the label or one of its comma-separated
/// names, whatever the case; else the only label that contains it. Throws Error invalid_argument
/// listing the candidates where there are several, or the nearest where there are none.
std::int64_t find_label(const Labels& labels, const std::string& text);

}  // namespace fovea::cli
