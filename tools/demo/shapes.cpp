#include "shapes.hpp"

#include <array>
#include <cstdlib>
#include <optional>

namespace fovea::demo {
namespace {

constexpr int kUnit = 1024;     // a radius in the shape's own coordinates
constexpr int kOutline = 92;    // the outline's width in them
constexpr int kHalfSide = 724;  // of the square, whose corners touch the radius
constexpr int kCap = 200;       // the beach ball's
constexpr int kArm = 370;       // half the cross's width
constexpr int kReach = 965;     // how far its arms go

struct Point {
  int u = 0, v = 0;
};

// `heading`'s axes become u and v.
Point to_shape(const Shape& shape, int x, int y) {
  const std::int64_t dx = x - shape.x, dy = y - shape.y;
  const std::int64_t scale = std::int64_t{shape.radius} << 14;
  const std::int64_t along = dx * shape.heading.cosine + dy * shape.heading.sine;
  const std::int64_t across = dy * shape.heading.cosine - dx * shape.heading.sine;
  return {static_cast<int>(along * kUnit / scale), static_cast<int>(across * kUnit / scale)};
}

int length(Point p) {
  return isqrt(std::int64_t{p.u} * p.u + std::int64_t{p.v} * p.v);
}

// Not negative, unlike operator%.
int modulo(int a, int b) {
  return ((a % b) + b) % b;
}

// A star is ten mirrored wedges: coordinates along and beside the nearest of its five tips.
Point to_star_tip(Point p) {
  constexpr std::array<Point, 5> tips = {
      {{1024, 0}, {316, 974}, {-828, 602}, {-828, -602}, {316, -974}}};
  Point best{-kUnit * 8, 0};
  for (const Point tip : tips) {
    const Point q{(p.u * tip.u + p.v * tip.v) / kUnit, (p.v * tip.u - p.u * tip.v) / kUnit};
    if (q.u > best.u) best = q;
  }
  return best;
}

int depth_at(int cls, Point p) {
  const int u = std::abs(p.u), v = std::abs(p.v);
  switch (cls) {
    case 0:
    case 3:
      return kUnit - length(p);
    case 1:
      return kHalfSide - std::max(u, v);
    case 2: {
      const int side = std::max(
          p.v, std::max((887 * p.u - 512 * p.v) / kUnit, (-887 * p.u - 512 * p.v) / kUnit));
      return kUnit / 2 - side;
    }
    case 4: {
      // The edge from the tip (1024, 0) to the inner corner (471, 342): radius 582, 36 degrees.
      const Point q = to_star_tip(p);
      return (342 * (kUnit - q.u) - 553 * std::abs(q.v)) / 650;
    }
    default:
      return std::max(std::min(kArm - u, kReach - v), std::min(kReach - u, kArm - v));
  }
}

bool second_at(int cls, Point p) {
  switch (cls) {
    case 0:
      return modulo(p.u, 410) < 205;
    case 1:
      return ((p.u + kHalfSide) / 362 + (p.v + kHalfSide) / 362) % 2 == 0;
    case 2: {
      const Point dot{modulo(p.u + 140, 280) - 140, modulo(p.v, 280) - 140};
      return length(dot) < 92;
    }
    case 3:
      return length(p) < kCap || (std::abs(p.u) > std::abs(p.v)) != (p.u * p.v > 0);
    case 4:
      return to_star_tip(p).v > 0;
    default:
      return modulo(p.v + std::abs(modulo(p.u, 370) - 185), 370) < 185;
  }
}

// Nothing outside.
std::optional<Rgb> colour_of(const Shape& shape, int x, int y) {
  const Point p = to_shape(shape, x, y);
  const int depth = depth_at(shape.cls, p);
  if (depth <= 0) return std::nullopt;
  if (depth < kOutline) return shape.outline;
  const Rgb fill = second_at(shape.cls, p) ? shape.second : shape.first;
  // Light comes from the upper left, whatever the rotation.
  return lift(fill, -18 * (x - shape.x + y - shape.y) / shape.radius);
}

}  // namespace

int depth_in(const Shape& shape, int x, int y) {
  return depth_at(shape.cls, to_shape(shape, x, y));
}

void paint_shape(Canvas& canvas, const Shape& shape, const std::function<void(int, int)>& owned) {
  const auto paint = [&](int x, int y) {
    int hits = 0;
    Rgb sum;
    for (int j = 0; j < kSamples; ++j)
      for (int i = 0; i < kSamples; ++i) {
        const auto colour = colour_of(shape, sample_at(x, i), sample_at(y, j));
        if (!colour) continue;
        sum = {sum.r + colour->r, sum.g + colour->g, sum.b + colour->b};
        ++hits;
      }
    if (hits == 0) return;
    const Rgb colour{sum.r / hits, sum.g / hits, sum.b / hits};
    canvas.at(x, y) = mix(canvas.at(x, y), colour, 256 * hits / (kSamples * kSamples));
    if (2 * hits >= kSamples * kSamples) owned(x, y);
  };
  canvas.each((shape.x - shape.radius) / kSubpixels - 1, (shape.y - shape.radius) / kSubpixels - 1,
              (shape.x + shape.radius) / kSubpixels + 2, (shape.y + shape.radius) / kSubpixels + 2,
              paint);
}

Shape draw_looks(Random& random) {
  constexpr std::array<Rgb, 9> bright = {{{214, 48, 49},
                                          {232, 116, 32},
                                          {240, 178, 34},
                                          {64, 160, 72},
                                          {22, 150, 150},
                                          {38, 108, 200},
                                          {112, 76, 188},
                                          {206, 62, 138},
                                          {140, 84, 44}}};
  constexpr std::array<Rgb, 4> pale = {
      {{246, 242, 232}, {252, 236, 190}, {216, 234, 246}, {240, 220, 226}}};
  constexpr std::array<Rgb, 3> dark = {{{30, 34, 52}, {48, 28, 40}, {22, 48, 46}}};
  Shape shape;
  shape.first = bright[static_cast<std::size_t>(random.between(0, 8))];
  const int contrast = random.between(0, 6);
  shape.second = contrast < 4 ? pale[static_cast<std::size_t>(contrast)]
                              : dark[static_cast<std::size_t>(contrast - 4)];
  shape.outline = dark[static_cast<std::size_t>(random.between(0, 2))];
  shape.heading = direction(random.between(0, kTurn - 1));
  return shape;
}

}  // namespace fovea::demo
