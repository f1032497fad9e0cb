#pragma once

#include <string>

#include "fovea/request.hpp"

namespace fovea::request {

/// Throws Error invalid_argument where a value is out of range, or where members do not go together
/// whatever the model is. `what` is what the sentence calls the whole.
void check(const Request& request, const std::string& what);

}  // namespace fovea::request
