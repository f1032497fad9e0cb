#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "fovea/image.hpp"
#include "image/check.hpp"

namespace fovea {
namespace image {
namespace {

using Colour = std::array<std::uint8_t, 3>;

// Of the picture's shorter side: a pixel in a network's input, visible in a photo on a screen.
constexpr int kSidesPerLine = 240;
constexpr int kSidesPerFrameLine = 480;

struct Rectangle {
  std::int64_t left, top, right, bottom;  // the last two are beyond it

  Rectangle grown(std::int64_t by) const { return {left - by, top - by, right + by, bottom + by}; }
  bool empty() const { return left >= right || top >= bottom; }
  bool has_row(std::int64_t y) const { return !empty() && top <= y && y < bottom; }
};

// Paints what of `outer` does not lie in `inner`, as far as it lies in the picture.
void paint(Image& picture, const Rectangle& outer, const Rectangle& inner, const Colour& colour) {
  const auto paint_row = [&](std::int64_t y, std::int64_t begin, std::int64_t end) {
    begin = std::max<std::int64_t>(begin, 0);
    end = std::min<std::int64_t>(end, picture.width);
    for (auto x = begin; x < end; ++x)
      std::copy(colour.begin(), colour.end(), picture.rgb.data() + 3 * (y * picture.width + x));
  };
  const auto last = std::min<std::int64_t>(outer.bottom, picture.height);
  for (auto y = std::max<std::int64_t>(outer.top, 0); y < last; ++y) {
    if (inner.has_row(y)) {
      paint_row(y, outer.left, inner.left);
      paint_row(y, inner.right, outer.right);
    } else {
      paint_row(y, outer.left, outer.right);
    }
  }
}

int line_of(const BoxStyle& style, const Image& picture, int sides_per_line) {
  if (style.line < 0)
    throw Error(ErrorCode::invalid_argument, "a line cannot be thinner than nothing");
  const int shorter = std::min(picture.width, picture.height);
  return style.line > 0 ? style.line : std::max(1, shorter / sides_per_line);
}

bool inside(const Box& box, const Image& picture) {
  return box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0 &&
         box.width <= picture.width - box.x && box.height <= picture.height - box.y;
}

}  // namespace
}  // namespace image

Image draw_box(Image picture, const Box& box, const BoxStyle& style) {
  using namespace image;
  check_image(picture);
  if (!inside(box, picture))
    throw Error(ErrorCode::invalid_argument, "the box does not lie within the picture of " +
                                                 std::to_string(picture.width) + " x " +
                                                 std::to_string(picture.height));
  const int line = line_of(style, picture, kSidesPerLine);
  const Rectangle edge{box.x, box.y, box.x + box.width, box.y + box.height};
  paint(picture, edge.grown(line), edge, style.outside);
  paint(picture, edge, edge.grown(-line), style.inside);
  return picture;
}

Image draw_frame(Image picture, const View& view, const BoxStyle& style) {
  using namespace image;
  check_image(picture);
  const int line = line_of(style, picture, kSidesPerFrameLine);
  const auto seen = seen_box(view, picture.width, picture.height);
  if (!seen) return picture;
  Rectangle edge{seen->x, seen->y, seen->x + seen->width, seen->y + seen->height};
  // Lines at the picture's own edge are moved out of it.
  const std::int64_t out = 2 * std::int64_t{line};
  if (edge.left == 0) edge.left -= out;
  if (edge.top == 0) edge.top -= out;
  if (edge.right == picture.width) edge.right += out;
  if (edge.bottom == picture.height) edge.bottom += out;
  paint(picture, edge, edge.grown(-line), style.inside);
  paint(picture, edge.grown(-line), edge.grown(-out), style.outside);
  return picture;
}

}  // namespace fovea
