#pragma once

#include <string>

#include "fovea/explanation.hpp"
#include "fovea/session.hpp"

/// Maps that show nothing.
namespace fovea::cli {

/// True where nothing in the map speaks for the target, as pictures and boxes have it.
bool shows_nothing(const Explanation& why);

/// A sentence with advice, without its full stop: "gradcam showed no evidence for tabby (class
/// 281): ...".
std::string nothing_text(const Explanation& why, const Labels& labels);

}  // namespace fovea::cli
