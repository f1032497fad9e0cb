#include "background.hpp"

#include <array>

#include "shapes.hpp"

namespace fovea::demo {
namespace {

constexpr std::array<Rgb, 10> kMuted = {{{88, 110, 117},
                                         {142, 134, 110},
                                         {122, 98, 88},
                                         {96, 124, 92},
                                         {116, 104, 136},
                                         {170, 156, 136},
                                         {74, 84, 104},
                                         {150, 128, 124},
                                         {108, 134, 146},
                                         {132, 142, 128}}};

Rgb draw_muted(Random& random) {
  return kMuted[static_cast<std::size_t>(random.between(0, 9))];
}

// The same, darker or brighter.
Rgb draw_muted(Random& random, int darkest, int brightest) {
  const Rgb colour = draw_muted(random);
  const int by = random.between(darkest, brightest);
  return lift(colour, by);
}

// Gradient noise: a random slope at each point of a lattice, smoothly joined.
class Noise {
 public:
  Noise(std::uint64_t key, int width, int height, int cell)
      : cell_(cell), columns_(width / cell + 2) {
    const auto points =
        static_cast<std::uint64_t>(columns_) * static_cast<std::uint64_t>(height / cell + 2);
    for (std::uint64_t i = 0; i < points; ++i)
      slopes_.push_back(direction(static_cast<int>(scramble(key + i) & (kTurn - 1))));
    for (int offset = 0; offset < cell; ++offset) {
      const int a = offset * 256 / cell;
      steps_.push_back({a, (a * a * (768 - 2 * a)) >> 16});  // 3 a^2 - 2 a^3
    }
  }

  // -128..127.
  int at(int x, int y) const {
    const auto corner = static_cast<std::size_t>(y / cell_) * static_cast<std::size_t>(columns_) +
                        static_cast<std::size_t>(x / cell_);
    const Step s = steps_[static_cast<std::size_t>(x % cell_)];
    const Step t = steps_[static_cast<std::size_t>(y % cell_)];
    const auto rise = [&](std::size_t point, int dx, int dy) {
      return (slopes_[point].cosine * dx + slopes_[point].sine * dy) >> 14;
    };
    const std::size_t below = corner + static_cast<std::size_t>(columns_);
    const int top = rise(corner, s.linear, t.linear) * (256 - s.smooth) +
                    rise(corner + 1, s.linear - 256, t.linear) * s.smooth;
    const int bottom = rise(below, s.linear, t.linear - 256) * (256 - s.smooth) +
                       rise(below + 1, s.linear - 256, t.linear - 256) * s.smooth;
    return std::clamp((top * (256 - t.smooth) + bottom * t.smooth) >> 16, -128, 127);
  }

 private:
  struct Step {
    int linear, smooth;  // 0..255
  };
  int cell_, columns_;
  std::vector<Direction> slopes_;
  std::vector<Step> steps_;
};

void paint_clouds(Canvas& canvas, Random& random) {
  const Rgb first = draw_muted(random);
  const Rgb second = draw_muted(random);
  const Rgb third = draw_muted(random);
  const Noise large(random.next(), canvas.width, canvas.height, 72);
  const Noise middle(random.next(), canvas.width, canvas.height, 26);
  const int cell = random.between(7, 14);
  const Noise small(random.next(), canvas.width, canvas.height, cell);
  const std::uint64_t grain = random.next();
  const int slope = random.between(-24, 24);
  std::uint64_t i = 0;
  for (int y = 0; y < canvas.height; ++y)
    for (int x = 0; x < canvas.width; ++x, ++i) {
      const int where = large.at(x, y);
      const Rgb colour = where < 0 ? mix(second, first, -2 * where) : mix(second, third, 2 * where);
      int light = middle.at(x, y) / 5 + small.at(x, y) / 6;
      light += slope * (2 * y - canvas.height) / canvas.height;
      light += static_cast<int>(scramble(grain + i) % 9) - 4;
      canvas.pixels[i] = lift(colour, light);
    }
}

void paint_blob(Canvas& canvas, Random& random) {
  const Rgb colour = draw_muted(random, -40, 40);
  const int cx = random.between(0, canvas.width - 1);
  const int cy = random.between(0, canvas.height - 1);
  const int radius = random.between(10, 44);
  const int opacity = random.between(80, 190);
  canvas.blend(cx - radius, cy - radius, cx + radius, cy + radius, colour, [&](int x, int y) {
    const int rest = radius * radius - (x - cx) * (x - cx) - (y - cy) * (y - cy);
    return rest <= 0 ? 0 : opacity * rest / (radius * radius);
  });
}

void paint_stroke(Canvas& canvas, Random& random) {
  const Rgb colour = draw_muted(random, -64, 64);
  const int ax = random.between(0, canvas.width * kSubpixels);
  const int ay = random.between(0, canvas.height * kSubpixels);
  const int bx = ax + random.between(-80 * kSubpixels, 80 * kSubpixels);
  const int by = ay + random.between(-80 * kSubpixels, 80 * kSubpixels);
  const int half = random.between(4, 18);  // eighths of a pixel
  const int opacity = random.between(120, 240);
  const std::int64_t dx = bx - ax, dy = by - ay;
  const std::int64_t squared = std::max<std::int64_t>(dx * dx + dy * dy, 1);
  const auto inside = [&](int x, int y) {
    const std::int64_t px = x - ax, py = y - ay;
    const std::int64_t along = px * dx + py * dy;
    if (along < 0 || along > squared) return false;
    const std::int64_t across = px * dy - py * dx;
    return across * across <= squared * half * half;
  };
  const int margin = half + kSubpixels;
  canvas.blend((std::min(ax, bx) - margin) / kSubpixels, (std::min(ay, by) - margin) / kSubpixels,
               (std::max(ax, bx) + margin) / kSubpixels, (std::max(ay, by) + margin) / kSubpixels,
               colour, [&](int x, int y) {
                 int hits = 0;
                 for (int j = 0; j < kSamples; ++j)
                   for (int i = 0; i < kSamples; ++i)
                     hits += inside(sample_at(x, i), sample_at(y, j));
                 return opacity * hits / (kSamples * kSamples);
               });
}

void paint_blank(Canvas& canvas, Random& random) {
  const Rgb colour = draw_muted(random, -48, 56);
  Shape blank;
  blank.cls = random.between(0, kClasses - 1);
  blank.x = random.between(0, canvas.width * kSubpixels);
  blank.y = random.between(0, canvas.height * kSubpixels);
  blank.radius = random.between(8 * kSubpixels, 28 * kSubpixels);
  blank.heading = direction(random.between(0, kTurn - 1));
  blank.first = blank.second = colour;
  blank.outline = lift(colour, -60);
  paint_shape(canvas, blank, [](int, int) {});
}

}  // namespace

Canvas draw_background(Random& random, int width, int height) {
  Canvas canvas{width, height, std::vector<Rgb>(static_cast<std::size_t>(width * height))};
  paint_clouds(canvas, random);
  const int blobs = random.between(4, 9);
  for (int i = 0; i < blobs; ++i) paint_blob(canvas, random);
  const int blanks = random.between(2, 5);
  for (int i = 0; i < blanks; ++i) paint_blank(canvas, random);
  const int strokes = random.between(5, 12);
  for (int i = 0; i < strokes; ++i) paint_stroke(canvas, random);
  return canvas;
}

}  // namespace fovea::demo
