#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "fovea/image.hpp"

/// The texts of a PNG: chunks beside the pixels.
namespace fovea::image {

/// Throws Error(invalid_argument) for a key or a text that a PNG cannot hold.
void check_texts(std::span<const ImageText> texts);

/// The PNG with the texts in front of its pixels: tEXt where they are ASCII, which everything
/// reads, else iTXt. `png` is one that we have just encoded.
std::vector<std::byte> with_texts(std::vector<std::byte> png, std::span<const ImageText> texts);

}  // namespace fovea::image
