#pragma once

#include <string>

#include "request/members.hpp"

namespace fovea::request {

/// Throws Error invalid_argument naming the key that is wrong.
Recipe read_recipe(const Json& object, const std::string& name);
Json recipe_json(const Recipe& recipe);

}  // namespace fovea::request
