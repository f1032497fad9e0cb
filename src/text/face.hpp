#pragma once

#include <hb.h>

#include <cstdint>
#include <memory>

#include "text/canvas.hpp"
#include "text/fonts.hpp"

// FreeType's own name for a face.
struct FT_LibraryRec_;
struct FT_FaceRec_;

namespace fovea::text {

/// One font at one size. Not for several threads at once.
class Face {
 public:
  /// FreeType's state; outlives the faces.
  class Library {
   public:
    Library();
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    FT_LibraryRec_* get() const { return library_; }

   private:
    FT_LibraryRec_* library_ = nullptr;
  };

  /// `size`: pixels of the em. None where the file is not there any more or cannot be used.
  static std::unique_ptr<Face> open(const Library& library, const Fonts& fonts, std::size_t font,
                                    int size);
  ~Face();
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;

  /// In 64ths of a pixel.
  hb_font_t* shaping() const { return shaping_; }
  double ascent() const;   ///< above the baseline, pixels
  double descent() const;  ///< below it

  /// The glyph with its origin there. A picture of its own colours keeps them.
  void draw(std::uint32_t glyph, double x, double y, const Colour& colour,
            const Canvas& canvas) const;

 private:
  Face(FT_FaceRec_* face, bool coloured) : face_(face), coloured_(coloured) {}
  void draw_picture(double x, double y, const Canvas& canvas) const;

  FT_FaceRec_* face_;
  hb_font_t* shaping_ = nullptr;
  bool coloured_;
  double scale_ = 1;  ///< from the pictures' own size
};

}  // namespace fovea::text
