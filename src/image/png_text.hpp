#pragma once

#include <span>

#include "fovea/image.hpp"

/// The texts of a PNG: chunks beside the pixels.
namespace fovea::image {

/// Throws Error(invalid_argument) for a key or a text that a PNG cannot hold.
void check_texts(std::span<const ImageText> texts);

}  // namespace fovea::image
