#include "text/face.hpp"

#include <freetype/freetype.h>
#include <freetype/ftoutln.h>
#include <hb-ft.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <new>

#include "fovea/error.hpp"

namespace fovea::text {
namespace {

// Of all that is held here, the memory alone may be lacking.
void check_memory(FT_Error failure) {
  if (failure == FT_Err_Out_Of_Memory) throw std::bad_alloc();
}

// The smallest of a font's pictures that need no enlarging, or the largest.
int best_strike(const FT_FaceRec& face, int size) {
  int best = 0;
  for (int i = 1; i < face.num_fixed_sizes; ++i) {
    const auto own = face.available_sizes[i].y_ppem, so_far = face.available_sizes[best].y_ppem;
    const auto wanted = static_cast<FT_Pos>(size) * 64;
    if (so_far < wanted ? own > so_far : own >= wanted && own < so_far) best = i;
  }
  return best;
}

}  // namespace

Face::Library::Library() {
  const auto failure = FT_Init_FreeType(&library_);
  check_memory(failure);
  if (failure != 0) throw Error(ErrorCode::internal, "FreeType does not start");
}

Face::Library::~Library() {
  FT_Done_FreeType(library_);
}

std::unique_ptr<Face> Face::open(const Library& library, const Fonts& fonts, std::size_t font,
                                 int size) {
  FT_Face opened = nullptr;
  const auto failure =
      FT_New_Face(library.get(), fonts.file(font).c_str(), fonts.index(font), &opened);
  check_memory(failure);
  if (failure != 0) return nullptr;
  std::unique_ptr<Face> face(new (std::nothrow) Face(opened, fonts.coloured(font)));
  if (!face) {
    FT_Done_Face(opened);
    throw std::bad_alloc();
  }
  const bool pictures = face->coloured_ && opened->num_fixed_sizes > 0;
  FT_Error set = 0;
  if (pictures) {
    const int strike = best_strike(*opened, size);
    face->scale_ = size * 64.0 / static_cast<double>(opened->available_sizes[strike].y_ppem);
    set = FT_Select_Size(opened, strike);
  } else {
    set = FT_Set_Pixel_Sizes(opened, 0, static_cast<FT_UInt>(size));
  }
  check_memory(set);
  if (set != 0 || !std::isfinite(face->scale_)) return nullptr;
  hb_face_t* tables = hb_ft_face_create_referenced(opened);
  face->shaping_ = hb_font_create(tables);
  hb_face_destroy(tables);
  hb_font_set_scale(face->shaping_, size * 64, size * 64);
  hb_font_make_immutable(face->shaping_);
  return face;
}

Face::~Face() {
  if (shaping_ != nullptr) hb_font_destroy(shaping_);
  FT_Done_Face(face_);
}

double Face::ascent() const {
  return static_cast<double>(face_->size->metrics.ascender) / 64 * scale_;
}
double Face::descent() const {
  return -static_cast<double>(face_->size->metrics.descender) / 64 * scale_;
}

void Face::draw(std::uint32_t glyph, double x, double y, const Colour& colour,
                const Canvas& canvas) const {
  const FT_Int32 flags = coloured_ ? FT_LOAD_COLOR : FT_LOAD_TARGET_LIGHT | FT_LOAD_NO_BITMAP;
  const auto failure = FT_Load_Glyph(face_, glyph, flags);
  check_memory(failure);
  if (failure != 0) return;
  const double left = std::floor(x), top = std::floor(y + 0.5);
  FT_GlyphSlot slot = face_->glyph;
  if (slot->format == FT_GLYPH_FORMAT_OUTLINE) {
    // Hinted vertically only, so that a glyph may stand at a part of a pixel.
    FT_Outline_Translate(&slot->outline, static_cast<FT_Pos>(std::lround((x - left) * 64)), 0);
    check_memory(FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL));
  }
  const FT_Bitmap& bitmap = slot->bitmap;
  if (bitmap.buffer == nullptr) return;
  if (bitmap.pixel_mode == FT_PIXEL_MODE_BGRA) {
    draw_picture(x, y, canvas);
    return;
  }
  if (bitmap.pixel_mode != FT_PIXEL_MODE_GRAY) return;
  for (unsigned r = 0; r < bitmap.rows; ++r)
    for (unsigned c = 0; c < bitmap.width; ++c)
      canvas.blend(static_cast<int>(left) + slot->bitmap_left + static_cast<int>(c),
                   static_cast<int>(top) - slot->bitmap_top + static_cast<int>(r), colour,
                   bitmap.buffer[static_cast<std::ptrdiff_t>(r) * bitmap.pitch + c]);
}

// Each pixel of the canvas becomes the mean of what the picture has there, premultiplied as it is.
void Face::draw_picture(double x, double y, const Canvas& canvas) const {
  const FT_Bitmap& bitmap = face_->glyph->bitmap;
  // At whole pixels, which keeps its edges.
  const double left = std::round(x + face_->glyph->bitmap_left * scale_);
  const double top = std::round(y - face_->glyph->bitmap_top * scale_);
  const int x0 = static_cast<int>(left), y0 = static_cast<int>(top);
  const int x1 = static_cast<int>(std::ceil(left + bitmap.width * scale_));
  const int y1 = static_cast<int>(std::ceil(top + bitmap.rows * scale_));
  const auto begin = [&](int place, double from, unsigned most) {
    return static_cast<unsigned>(std::clamp((place - from) / scale_, 0.0, double{1} * most));
  };
  for (int row = std::max(y0, 0); row < std::min(y1, canvas.height); ++row)
    for (int column = std::max(x0, 0); column < std::min(x1, canvas.width); ++column) {
      const unsigned r0 = begin(row, top, bitmap.rows), r1 = begin(row + 1, top, bitmap.rows);
      const unsigned c0 = begin(column, left, bitmap.width),
                     c1 = begin(column + 1, left, bitmap.width);
      double sums[4] = {};
      for (unsigned r = r0; r < std::max(r1, r0 + 1) && r < bitmap.rows; ++r)
        for (unsigned c = c0; c < std::max(c1, c0 + 1) && c < bitmap.width; ++c)
          for (std::size_t i = 0; i < 4; ++i)
            sums[i] += bitmap.buffer[static_cast<std::ptrdiff_t>(r) * bitmap.pitch +
                                     std::ptrdiff_t{4} * c + static_cast<std::ptrdiff_t>(i)];
      const double area = std::max(1U, r1 - r0) * std::max(1U, c1 - c0);
      std::uint8_t* pixel = canvas.at(column, row);
      for (std::size_t i = 0; i < 3; ++i) {
        const double value = sums[2 - i] / area + pixel[i] * (1 - sums[3] / area / 255);
        pixel[i] = static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
      }
    }
}

}  // namespace fovea::text
