#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "text/face.hpp"
#include "text/fonts.hpp"

namespace fovea::text {

/// The fonts at one size, each opened when it is first needed.
class Faces {
 public:
  Faces(Fonts fonts, int size);

  int size() const { return size_; }
  const Fonts& fonts() const { return fonts_; }
  /// The font of ordinary text, or kNoFont where none can be used.
  std::size_t ordinary() const { return ordinary_; }
  /// The first that has all of a cluster's characters, of pictographs one with colours before
  /// others; kNoFont where none has.
  std::size_t find(std::u32string_view cluster);
  /// Of a font that `ordinary` or `find` gave.
  const Face& face(std::size_t font) const { return *slots_[font].face; }

 private:
  struct Slot {
    std::unique_ptr<Face> face;
    bool tried = false;
  };
  bool usable(std::size_t font);
  std::size_t find(std::u32string_view cluster, bool coloured_only);

  Fonts fonts_;
  int size_;
  Face::Library library_;
  std::vector<Slot> slots_;
  std::size_t ordinary_ = kNoFont;
};

}  // namespace fovea::text
