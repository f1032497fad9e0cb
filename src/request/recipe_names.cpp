#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/request.hpp"
#include "request/torchvision_weights.hpp"

namespace fovea {
namespace {

using Resize = Preprocess::Resize;

Error unknown(const std::string& what, const std::vector<std::string>& known,
              const std::string& name) {
  return Error(ErrorCode::invalid_argument,
               what + " '" + name + "' is unknown" + did_you_mean(known, name));
}

// torchvision's ImageClassification, of a Pillow image.
Recipe torchvision_recipe(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& row : request::torchvision_weights()) {
    const std::string model(row.name.substr(0, row.name.find('.')));
    known.emplace_back(row.name);
    if (name != row.name && !(row.is_default && name == model + ".DEFAULT")) continue;
    Recipe out;
    out.width = out.height = row.crop;
    out.values.shorter_side = row.resize;
    out.values.resize = row.bicubic ? Resize::bicubic_antialias : Resize::bilinear_antialias;
    out.values.mean = row.mean;
    out.values.std = row.std;
    return out;
  }
  throw unknown("the weights", known, name);
}

// keras.applications' preprocess_input, of what keras.utils.load_img gives at a target_size.
Recipe keras_recipe(const std::string& text) {
  static const std::vector<std::pair<std::string, Resize>> kFilters = {
      {"nearest", Resize::nearest},           {"bilinear", Resize::bilinear_antialias},
      {"bicubic", Resize::bicubic_antialias}, {"lanczos", Resize::lanczos_antialias},
      {"hamming", Resize::hamming_antialias}, {"box", Resize::box_antialias}};
  const auto colon = text.find(':');
  const auto mode = text.substr(0, colon);
  Recipe out;
  auto& values = out.values;
  values.geometry = Preprocess::Geometry::stretch;
  if (mode == "tf") {
    values.scale = 1 / 127.5;
    values.mean = values.std = {1, 1, 1};
  } else if (mode == "caffe") {
    values.order = Preprocess::Order::bgr;
    out.order_given = true;
    values.scale = 1;
    values.mean = {103.939, 116.779, 123.68};
    values.std = {1, 1, 1};
  } else if (mode != "torch") {
    throw unknown("Keras' mode", {"tf", "torch", "caffe"}, mode);
  }
  const auto filter = colon == std::string::npos ? "nearest" : text.substr(colon + 1);
  std::vector<std::string> known;
  for (const auto& [name, resize] : kFilters) {
    known.push_back(name);
    if (name != filter) continue;
    values.resize = resize;
    return out;
  }
  throw unknown("Keras' interpolation", known, filter);
}

}  // namespace

std::vector<std::string> recipe_names() {
  std::vector<std::string> out = {"imagenet", "inception", "caffe", "raw"};
  for (const auto* mode : {"tf", "torch", "caffe"}) out.push_back(std::string("keras:") + mode);
  for (const auto& row : request::torchvision_weights()) {
    out.push_back("torchvision:" + std::string(row.name));
    if (row.is_default)
      out.push_back("torchvision:" + std::string(row.name.substr(0, row.name.find('.'))) +
                    ".DEFAULT");
  }
  return out;
}

std::optional<Recipe> recipe_by_name(std::string_view name) {
  constexpr std::string_view kTorchvision = "torchvision:", kKeras = "keras:";
  if (name == "imagenet") return Recipe{Preprocess::imagenet(), false};
  if (name == "inception") return Recipe{Preprocess::inception(), false};
  if (name == "caffe") return Recipe{Preprocess::caffe(), false};
  if (name == "raw") return Recipe{Preprocess::raw(), false};
  if (name.starts_with(kTorchvision))
    return torchvision_recipe(std::string(name.substr(kTorchvision.size())));
  if (name.starts_with(kKeras)) return keras_recipe(std::string(name.substr(kKeras.size())));
  return std::nullopt;
}

}  // namespace fovea
