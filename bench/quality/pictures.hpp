#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "fovea/fovea.hpp"
#include "fovea/image.hpp"

/// Pictures of which it is known what is where, and the networks that are asked.
namespace fovea::quality {

/// A class and where it is to be seen.
struct Thing {
  std::int64_t class_index = 0;
  std::vector<Box> boxes = {};  ///< in the photo's pixels; any of them will do
};

struct Picture {
  Tensor input;
  int width = 0, height = 0;  ///< of the photo
  View view;                  ///< what of it the network sees
  std::vector<Thing> things = {};
};

struct Network {
  std::string name;
  bool drawn = false;  ///< its pictures are the demo's scenes
  Model model;
  std::vector<Picture> pictures = {};
};

/// The same algorithms on every machine and in every run.
inline ExplainerOptions untuned(std::vector<Method> methods) {
  ExplainerOptions out;
  out.prepare.methods = std::move(methods);
  out.compile.tuning = Tuning::off;
  return out;
}

/// The demo's networks, and 200 scenes that they were not trained on.
std::vector<Network> demo_networks(const std::filesystem::path& source);

/// Pretrained networks and the photos of boxes.json whose classes they know, of a folder with
/// photos/boxes.json and reference_top5.json. A photo is prepared as the network's recipe says, and
/// boxes are cut to what the network sees of it. Empty where there is no such folder.
std::vector<Network> real_networks(const std::filesystem::path& folder);

}  // namespace fovea::quality
