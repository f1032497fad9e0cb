#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fovea/image.hpp"
#include "text/typesetter.hpp"

namespace fovea::image {

/// Text in pictures, in the installed fonts. For one call; only one thread at a time.
class Writer {
 public:
  /// `size`: pixels of the em.
  explicit Writer(int size);

  text::Paragraph set(std::string_view utf8, int width, std::size_t lines) {
    return typesetter_.set(utf8, {static_cast<double>(width), lines});
  }
  /// In black.
  void write(const text::Paragraph& paragraph, Image& picture, int x, int y) const;
  int line_height() { return typesetter_.line_height(); }

  /// What of all that was set is drawn as boxes.
  std::vector<std::string> warnings() const;

 private:
  text::Typesetter typesetter_;
};

}  // namespace fovea::image
