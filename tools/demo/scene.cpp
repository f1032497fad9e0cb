#include "scene.hpp"

#include <array>
#include <cstdlib>
#include <numeric>

#include "background.hpp"
#include "random.hpp"
#include "shapes.hpp"

namespace fovea::demo {
namespace {

constexpr int kGap = 5 * kSubpixels;  // between the circles around two objects, and to the border
constexpr int kSmallest = 20 * kSubpixels;
constexpr int kLargest = 36 * kSubpixels;

// Squares around the objects apart, so that their boxes are disjoint.
bool apart(const Shape& a, const Shape& b) {
  const int distance = std::max(std::abs(a.x - b.x), std::abs(a.y - b.y));
  return distance >= a.radius + b.radius + kGap;
}

void draw_place(Random& random, Shape& shape) {
  shape.radius = random.between(kSmallest, kLargest);
  const int margin = shape.radius + kGap;
  shape.x = random.between(margin, kSceneWidth * kSubpixels - margin);
  shape.y = random.between(margin, kSceneHeight * kSubpixels - margin);
}

// False if the next object finds no room beside those that are placed.
bool draw_places(Random& random, std::vector<Shape>& shapes) {
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    bool free = false;
    for (int attempt = 0; attempt < 40 && !free; ++attempt) {
      draw_place(random, shapes[i]);
      free = true;
      for (std::size_t j = 0; j < i; ++j) free = free && apart(shapes[i], shapes[j]);
    }
    if (!free) return false;
  }
  return true;
}

std::vector<Shape> draw_layout(Random& random) {
  std::array<int, kClasses> classes;
  std::iota(classes.begin(), classes.end(), 0);
  const int count = random.between(0, 3) == 0 ? 3 : 2;
  std::vector<Shape> shapes;
  for (int i = 0; i < count; ++i) {
    const int pick = random.between(i, kClasses - 1);
    std::swap(classes[static_cast<std::size_t>(i)], classes[static_cast<std::size_t>(pick)]);
    shapes.push_back(draw_looks(random));
    shapes.back().cls = classes[static_cast<std::size_t>(i)];
  }
  while (!draw_places(random, shapes)) {
  }
  return shapes;
}

Rgb& pixel(std::vector<Rgb>& picture, int x, int y) {
  return picture[static_cast<std::size_t>(y * kSceneWidth + x)];
}

// The pixels that a shape can reach, with `more` pixels around.
Box reach(const Shape& shape, int more) {
  return {std::max((shape.x - shape.radius) / kSubpixels - more, 0),
          std::max((shape.y - shape.radius) / kSubpixels - more, 0),
          std::min((shape.x + shape.radius) / kSubpixels + 1 + more, kSceneWidth),
          std::min((shape.y + shape.radius) / kSubpixels + 1 + more, kSceneHeight)};
}

void paint_shadow(std::vector<Rgb>& picture, const Shape& shape) {
  const Box box = reach(shape, 6);
  for (int y = box.y0; y < box.y1; ++y)
    for (int x = box.x0; x < box.x1; ++x) {
      const int depth = depth_in(shape, (x - 2) * kSubpixels, (y - 3) * kSubpixels);
      const int dark = std::clamp((depth + 130) * 110 / 260, 0, 110);
      pixel(picture, x, y) = mix(pixel(picture, x, y), {16, 18, 24}, dark);
    }
}

// Paints, and marks the pixels of which the shape covers at least half.
Box paint_shape(std::vector<Rgb>& picture, std::vector<std::uint8_t>& owner, const Shape& shape,
                int mark) {
  Box tight{kSceneWidth, kSceneHeight, 0, 0};
  const Box box = reach(shape, 1);
  for (int y = box.y0; y < box.y1; ++y)
    for (int x = box.x0; x < box.x1; ++x) {
      int hits = 0;
      Rgb sum;
      for (int j = 0; j < kSamples; ++j)
        for (int i = 0; i < kSamples; ++i) {
          const auto colour = colour_of(shape, sample_at(x, i), sample_at(y, j));
          if (!colour) continue;
          sum = {sum.r + colour->r, sum.g + colour->g, sum.b + colour->b};
          ++hits;
        }
      if (hits == 0) continue;
      const Rgb colour{sum.r / hits, sum.g / hits, sum.b / hits};
      pixel(picture, x, y) = mix(pixel(picture, x, y), colour, 256 * hits / (kSamples * kSamples));
      if (2 * hits < kSamples * kSamples) continue;
      owner[static_cast<std::size_t>(y * kSceneWidth + x)] = static_cast<std::uint8_t>(mark);
      tight = {std::min(tight.x0, x), std::min(tight.y0, y), std::max(tight.x1, x + 1),
               std::max(tight.y1, y + 1)};
    }
  return tight;
}

}  // namespace

const std::vector<std::string>& class_names() {
  static const std::vector<std::string> names = {"striped disc",    "checkered square",
                                                 "dotted triangle", "lifebuoy",
                                                 "faceted star",    "zigzag cross"};
  return names;
}

Scene draw_scene(std::uint64_t seed) {
  Random random(seed);
  std::vector<Rgb> picture = draw_background(random, kSceneWidth, kSceneHeight);
  const std::vector<Shape> shapes = draw_layout(random);

  Scene scene;
  scene.width = kSceneWidth;
  scene.height = kSceneHeight;
  scene.owner.resize(picture.size());
  // All shadows first: none may fall on an object.
  for (const Shape& shape : shapes) paint_shadow(picture, shape);
  for (const Shape& shape : shapes) {
    const int mark = static_cast<int>(scene.objects.size()) + 1;
    scene.objects.push_back({shape.cls, paint_shape(picture, scene.owner, shape, mark)});
  }
  scene.rgb.reserve(3 * picture.size());
  for (const Rgb colour : picture)
    for (const int level : {colour.r, colour.g, colour.b})
      scene.rgb.push_back(static_cast<std::uint8_t>(std::clamp(level, 0, 255)));
  return scene;
}

std::uint64_t checksum(const Scene& scene) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3u; };
  const auto add_int = [&](int value) {
    for (int shift = 0; shift < 32; shift += 8) add(static_cast<std::uint8_t>(value >> shift));
  };
  add_int(scene.width);
  add_int(scene.height);
  for (const std::uint8_t byte : scene.rgb) add(byte);
  for (const std::uint8_t byte : scene.owner) add(byte);
  for (const Object& object : scene.objects)
    for (const int value : {object.cls, object.box.x0, object.box.y0, object.box.x1, object.box.y1})
      add_int(value);
  return hash;
}

}  // namespace fovea::demo
