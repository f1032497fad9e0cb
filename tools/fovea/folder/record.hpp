#pragma once

#include <optional>
#include <string>

#include "json_output.hpp"

/// What a folder of results was made with, so that a later call goes on with the same: run.json.
namespace fovea::cli {

struct Difference {
  std::string option;  ///< "--method"; of what no option says, "fovea"
  std::string was, is;
};

/// The first option that says something else of the results. Files are the same where their SHA-256
/// are; the versions and what the CPU can do are no options.
std::optional<Difference> difference(const Json& was, const Json& is);

/// Of versions and instruction sets that changed, where results may differ in their last bits; else
/// empty.
std::string version_warning(const Json& was, const Json& is);

}  // namespace fovea::cli
