#pragma once

#include "fovea/explanation.hpp"

/// What a map's reader has to be told.
namespace fovea::api {

/// Adds to the explanation's warnings: a map that shows nothing, holds what is no number, or has
/// little of the score that its method shares out.
void warn_of_map(Explanation& out);

}  // namespace fovea::api
