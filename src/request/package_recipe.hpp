#pragma once

#include <optional>
#include <string>

#include "request/members.hpp"

/// Recipes as other packages write them.
namespace fovea::request {

/// The recipe of a timm config.json or a transformers preprocessor_config.json; none where `object`
/// is neither. Throws Error invalid_argument naming the field that is wrong, unknown or missing.
std::optional<Recipe> read_package_recipe(const Json& object, const std::string& name);

}  // namespace fovea::request
