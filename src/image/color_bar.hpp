#pragma once

#include "fovea/image.hpp"
#include "image/writing.hpp"

namespace fovea::image {

/// A scale's colours from its first to its last, with the values of both below, and 0 where it lies
/// between them.
class ColorBar {
 public:
  /// Throws Error invalid_argument for a scale without finite values.
  ColorBar(const ColorScale& scale, int width, int text_size, Writer& writer);

  int height() const;
  void draw(Image& picture, int x, int y, const Writer& writer) const;

 private:
  struct Number {
    text::Paragraph text;
    int x = 0;
  };
  int bar_;     // its height
  Image ramp_;  // a row of its colours
  std::vector<Number> numbers_;
};

}  // namespace fovea::image
