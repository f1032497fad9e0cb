#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "fovea/error.hpp"
#include "fovea/image.hpp"

/// How a photo becomes the network's input, as text.
namespace fovea::cli {

struct Recipe {
  Preprocess values = Preprocess::imagenet();
  bool order_given = false;   ///< else the number of the input's channels decides
  int width = 0, height = 0;  ///< the input's, for a model that leaves them open; 0: not given
};

/// imagenet, inception, caffe, raw, a JSON object, or the path of a file that holds one.
/// Throws Error invalid_argument naming the key that is wrong.
Recipe read_recipe(const std::string& text);

/// A JSON object; what it leaves out is RGB, scale 1/255, mean 0, std 1, resize-crop with the
/// default shorter side, bilinear-antialias, the model's own width and height. Throws Error(code)
/// naming `source` and the key.
Recipe parse_recipe(const std::string& json, ErrorCode code, const std::string& source);

/// The recipe for an input of 1 or 3 channels. One channel gets luma; where the recipe names no
/// order, its mean and std per colour are averaged for that.
Preprocess for_channels(const Recipe& recipe, std::int64_t channels);

/// The object that `parse_recipe` reads.
nlohmann::ordered_json to_json(const Preprocess& recipe);

}  // namespace fovea::cli
