#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What text is made of, before fonts.
namespace fovea::text {

/// UTF-8 as code points that can stand in a line, `most` at most: each ill-formed part (the longest
/// that begins as a character would) and each control character is U+FFFD, and those that would end
/// a line or move on in it are spaces.
std::u32string decoded(std::string_view utf8, std::size_t most);

/// One code point as UTF-8.
std::string encoded(char32_t code);

/// Shows nothing by itself and needs no font: joiners, variation selectors, marks of direction.
bool is_ignorable(char32_t code);

/// Emoji that are drawn in colours where nothing says otherwise.
bool is_pictograph(char32_t code);

/// Where the characters that a reader sees begin, and their end: a letter with its marks, a flag's
/// two letters, emoji that joiners hold together.
std::vector<std::size_t> clusters(std::u32string_view text);

/// Whether a line may end between two clusters, which begin so: after spaces and the separators of
/// names, and between the letters of scripts that are written without spaces.
bool may_break(char32_t last_of_one, char32_t first_of_next);

}  // namespace fovea::text
