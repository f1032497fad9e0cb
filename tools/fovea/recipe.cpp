#include "recipe.hpp"

#include <nlohmann/json.hpp>

#include "json_output.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

struct Preset {
  const char* name;
  Preprocess (*recipe)();
};
constexpr Preset kPresets[] = {{"imagenet", Preprocess::imagenet},
                               {"inception", Preprocess::inception},
                               {"caffe", Preprocess::caffe},
                               {"raw", Preprocess::raw}};

}  // namespace

Recipe parse_recipe(const std::string& text, ErrorCode code, const std::string& source) {
  try {
    return recipe_from_json(text, source);
  } catch (const Error& error) {
    throw Error(code, error.sentence(), error.context());
  }
}

Recipe read_recipe(const std::string& text) {
  if (auto named = recipe_by_name(text)) return *named;
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{')
    return parse_recipe(text, ErrorCode::invalid_argument, "");
  if (!text.ends_with(".json"))
    throw Error(ErrorCode::invalid_argument,
                "--preprocess '" + text +
                    "' is none of imagenet, inception, caffe, raw, torchvision:WEIGHTS, "
                    "keras:MODE, a JSON object or a .json file" +
                    did_you_mean(recipe_names(), text));
  return parse_recipe(read_text(text, ErrorCode::invalid_argument, 1 << 20),
                      ErrorCode::invalid_argument, "'" + text + "'");
}

std::string recipe_text(const Preprocess& recipe, RecipeSource source) {
  std::string out;
  for (const auto& [name, preset] : kPresets)
    if (recipe == preset()) out = name;
  if (out.empty()) {
    const auto json = to_json(recipe);
    const auto numbers = [&](const char* key) {
      std::string text;
      for (const auto& value : json[key]) text += " " + number_text(value.get<double>());
      return text;
    };
    out = json["order"].get<std::string>() + " * " + number_text("%.4g", recipe.scale) + ", mean" +
          numbers("mean") + ", std" + numbers("std") + ", " + json["geometry"].get<std::string>();
    if (recipe.geometry == Preprocess::Geometry::resize_crop)
      out += recipe.shorter_side == 0 ? " 256/224" : " " + std::to_string(recipe.shorter_side);
    if (recipe.resized_width != 0 || recipe.resized_height != 0)
      out += " " + std::to_string(recipe.resized_width) + " x " +
             std::to_string(recipe.resized_height);
    out += ", " + json["resize"].get<std::string>();
  }
  if (source == RecipeSource::model) out += " (the model's own)";
  if (source == RecipeSource::assumed) out += " (assumed; --preprocess says another)";
  return out;
}

std::string recipe_text(const SessionPhoto& photo) {
  auto out = recipe_text(photo.left_recipe.value_or(photo.recipe), photo.recipe_source);
  if (!photo.left_recipe) return out;
  return out + (photo.recipe.geometry == Preprocess::Geometry::letterbox
                    ? ", but the whole photo, letterboxed"
                    : ", but the whole photo, stretched");
}

nlohmann::ordered_json to_json(const Preprocess& recipe) {
  return nlohmann::ordered_json::parse(fovea::to_json(Recipe{recipe, true}));
}

}  // namespace fovea::cli
