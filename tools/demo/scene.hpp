#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Pictures whose truth is known exactly: two or three textured objects of different classes on
/// clutter. Integer arithmetic only, so that a seed is the same scene on every machine.
/// Everything here is pure and safe from any thread.
namespace fovea::demo {

/// The extents of every scene, in pixels.
inline constexpr int kSceneWidth = 240;
inline constexpr int kSceneHeight = 192;

/// Seeds below this one are held out: train.py never draws them.
inline constexpr std::uint64_t kFirstTrainingSeed = 1'000'000;

/// x0 <= x < x1 and y0 <= y < y1, in pixels.
struct Box {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool contains(int x, int y) const { return x0 <= x && x < x1 && y0 <= y && y < y1; }
  bool operator==(const Box&) const = default;
};

struct Object {
  int cls = 0;  ///< index into class_names()
  Box box;      ///< the smallest box around the object's pixels
};

struct Scene {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;    ///< [height, width, 3], rows from the top
  std::vector<Object> objects;      ///< 2 or 3, all of different classes, boxes disjoint
  std::vector<std::uint8_t> owner;  ///< [height, width]: 0 background, i + 1 object i

  /// Whether the pixel shows object `index`; false outside the scene.
  bool shows(int index, int x, int y) const {
    return 0 <= x && x < width && 0 <= y && y < height && owner[y * width + x] == index + 1;
  }
};

/// Some milliseconds.
Scene draw_scene(std::uint64_t seed);

/// By class, in the order of the demo models' outputs.
const std::vector<std::string>& class_names();

/// FNV-1a over everything a scene holds.
std::uint64_t checksum(const Scene& scene);

}  // namespace fovea::demo
