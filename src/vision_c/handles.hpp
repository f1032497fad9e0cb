#pragma once

#include <string>
#include <utility>
#include <vector>

#include "c/handles.hpp"
#include "fovea/image.hpp"
#include "fovea/request.hpp"
#include "fovea_vision.h"

/// Handles of fovea_vision.h. None of them changes.

struct fovea_photo : fovea::c::Marked<0x70686f746f> {
  explicit fovea_photo(fovea::Image made) : image(std::move(made)) {}
  const fovea::Image image;
};

struct fovea_recipe : fovea::c::Marked<0x726563697065> {
  explicit fovea_recipe(fovea::Recipe made) : recipe(std::move(made)), json(to_json(recipe)) {}
  const fovea::Recipe recipe;
  const std::string json;
};

struct fovea_answer : fovea::c::Marked<0x616e73776572> {
  fovea::Request request;
  std::string request_json;
  fovea_explanations explanations;
  std::vector<std::vector<fovea::Prediction>> predictions;  ///< of each image
  std::vector<std::string> labels;
  std::vector<std::string> warnings;
  fovea::Image photo;  ///< empty where tensors were explained
  fovea::View view;
};
