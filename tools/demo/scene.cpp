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
constexpr int kSmallest = 22 * kSubpixels;
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

void paint_shadow(Canvas& canvas, const Shape& shape) {
  const int reach = shape.radius / kSubpixels + 7;
  const int cx = shape.x / kSubpixels, cy = shape.y / kSubpixels;
  canvas.blend(cx - reach, cy - reach, cx + reach, cy + reach, {16, 18, 24}, [&](int x, int y) {
    const int depth = depth_in(shape, (x - 2) * kSubpixels, (y - 3) * kSubpixels);
    return std::clamp((depth + 130) * 110 / 260, 0, 110);
  });
}

}  // namespace

const std::vector<std::string>& class_names() {
  static const std::vector<std::string> names = {"striped disc",    "checkered square",
                                                 "dotted triangle", "beach ball",
                                                 "faceted star",    "zigzag cross"};
  return names;
}

Scene draw_scene(std::uint64_t seed) {
  Random random(seed);
  Canvas canvas = draw_background(random, kSceneWidth, kSceneHeight);
  const std::vector<Shape> shapes = draw_layout(random);

  Scene scene;
  scene.width = kSceneWidth;
  scene.height = kSceneHeight;
  scene.owner.resize(canvas.pixels.size());
  // All shadows first: none may fall on an object.
  for (const Shape& shape : shapes) paint_shadow(canvas, shape);
  for (const Shape& shape : shapes) {
    Object object{shape.cls, {kSceneWidth, kSceneHeight, 0, 0}};
    Box& box = object.box;
    const auto mark = static_cast<std::uint8_t>(scene.objects.size() + 1);
    paint_shape(canvas, shape, [&](int x, int y) {
      scene.owner[static_cast<std::size_t>(y) * kSceneWidth + static_cast<std::size_t>(x)] = mark;
      box = {std::min(box.x0, x), std::min(box.y0, y), std::max(box.x1, x + 1),
             std::max(box.y1, y + 1)};
    });
    scene.objects.push_back(object);
  }
  scene.rgb.reserve(3 * canvas.pixels.size());
  for (const Rgb colour : canvas.pixels)
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
