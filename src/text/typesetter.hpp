#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/canvas.hpp"
#include "text/fonts.hpp"

/// Text in pictures: the Unicode bidirectional algorithm by FriBidi, shaping by HarfBuzz, pixels by
/// FreeType, fonts through fontconfig.
namespace fovea::text {

class Faces;

struct Glyph {
  std::size_t font = 0;       ///< of Fonts; kNoFont: a box, since no font has the character
  std::uint32_t id = 0;       ///< of the font
  std::size_t character = 0;  ///< which code point of the text it is of
  double x = 0, y = 0;        ///< its origin, pixels from the line's left and above its baseline
  double advance = 0;
};

struct Line {
  std::vector<Glyph> glyphs;  ///< from left to right
  double width = 0, ascent = 0, descent = 0;
  std::u32string missing;  ///< what has no font

  int height() const;
};

struct Paragraph {
  std::vector<Line> lines;
  bool right_to_left = false;

  double width() const;
  int height() const;
};

/// What a paragraph must fit into.
struct Fit {
  double width = 0;       ///< pixels
  std::size_t lines = 1;  ///< at most
};

/// Sets text at one size. For one thread at a time; several may each have their own. What cannot be
/// drawn is a box: no font at all is no failure. Throws std::bad_alloc where memory runs out, and
/// Error internal where FreeType does not start.
class Typesetter {
 public:
  /// `size`: pixels of the em.
  Typesetter(Fonts fonts, int size);
  ~Typesetter();
  Typesetter(const Typesetter&) = delete;
  Typesetter& operator=(const Typesetter&) = delete;

  /// One paragraph of UTF-8, whose first letter with a direction gives it its own. Wrapped between
  /// words, within one where it is wider than a line; what does not fit ends in an ellipsis. No
  /// lines where there is nothing to show.
  Paragraph set(std::string_view utf8, const Fit& fit);

  /// The paragraph with the left of its first line's top there.
  void draw(const Paragraph& paragraph, const Colour& colour, const Canvas& canvas, int x,
            int y) const;

  /// Of ordinary text, in pixels.
  int line_height();

  /// The characters that no font has, of all that was set, each once.
  const std::u32string& missing() const { return missing_; }

 private:
  void draw_box(const Glyph& glyph, double x, double y, const Colour& colour,
                const Canvas& canvas) const;

  std::unique_ptr<Faces> faces_;
  std::u32string missing_;
};

}  // namespace fovea::text
