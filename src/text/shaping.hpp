#pragma once

#include <hb.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/faces.hpp"
#include "text/typesetter.hpp"

/// From characters to glyphs.
namespace fovea::text {

/// A code point of a paragraph, and what the paragraph makes of it.
struct Character {
  char32_t code = 0;
  std::size_t place = 0;       ///< in the paragraph
  std::int8_t level = 0;       ///< of embedding: odd ones run from right to left
  std::size_t font = kNoFont;  ///< kNoFont: a box, a blank or nothing
  std::size_t cluster = 0;     ///< where its cluster begins, a place
  hb_script_t script = HB_SCRIPT_COMMON;
};

struct Analysis {
  std::vector<Character> characters;
  bool right_to_left = false;  ///< of the paragraph
};

/// `clusters` as `clusters(text)` gives them; the text is not empty.
Analysis analysed(std::u32string_view text, std::span<const std::size_t> clusters, Faces& faces);

/// Characters that stand in one line, as glyphs from left to right.
Line shaped(std::span<const Character> characters, Faces& faces);

}  // namespace fovea::text
