#pragma once

#include <map>
#include <optional>
#include <string>

#include "fovea/request.hpp"
#include "fovea/session.hpp"

/// What others than fovea write into a model's metadata about its images and classes.
namespace fovea::request {

/// ONNX's own properties of image models (Image.BitmapPixelFormat, Image.NominalPixelRange), as
/// Custom Vision and Core ML's converters write them. None without a range that is known.
std::optional<Recipe> recipe_in_metadata(const std::map<std::string, std::string>& metadata);

/// Ultralytics' `names`: a dict of Python, "{0: 'tench', 1: 'goldfish'}". Empty where there is
/// none, or it is no such dict.
Labels labels_in_metadata(const std::map<std::string, std::string>& metadata);

}  // namespace fovea::request
