#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "fovea/error.hpp"
#include "fovea/image.hpp"
#include "fovea/request.hpp"
#include "fovea/session.hpp"

/// How a photo becomes the network's input, as text.
namespace fovea::cli {

/// A name (recipe_by_name), a JSON object (recipe_from_json), or the path of a file that holds one.
/// Throws Error invalid_argument naming the key that is wrong.
Recipe read_recipe(const std::string& text);

/// A JSON object, as recipe_from_json reads it. Throws Error(code) naming `source` and the key.
Recipe parse_recipe(const std::string& json, ErrorCode code, const std::string& source);

/// The same of a photo's, and whether its crop was left out.
std::string recipe_text(const SessionPhoto& photo);

/// The object that `parse_recipe` reads.
nlohmann::ordered_json to_json(const Preprocess& recipe);

/// What a person reads: "imagenet", or in words; and who said so.
std::string recipe_text(const Preprocess& recipe, RecipeSource source);

}  // namespace fovea::cli
