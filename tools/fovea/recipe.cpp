#include "recipe.hpp"

#include <nlohmann/json.hpp>

#include "text.hpp"

namespace fovea::cli {

Recipe parse_recipe(const std::string& text, ErrorCode code, const std::string& source) {
  try {
    return recipe_from_json(text, source);
  } catch (const Error& error) {
    throw Error(code, error.sentence(), error.context());
  }
}

Recipe read_recipe(const std::string& text) {
  if (text == "imagenet") return {Preprocess::imagenet(), false};
  if (text == "inception") return {Preprocess::inception(), false};
  if (text == "caffe") return {Preprocess::caffe(), false};
  if (text == "raw") return {Preprocess::raw(), false};
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{')
    return parse_recipe(text, ErrorCode::invalid_argument, "");
  if (!text.ends_with(".json"))
    throw Error(ErrorCode::invalid_argument,
                "--preprocess '" + text +
                    "' is none of imagenet, inception, caffe, raw, a JSON object or a .json file");
  return parse_recipe(read_text(text, ErrorCode::invalid_argument, 1 << 20),
                      ErrorCode::invalid_argument, "'" + text + "'");
}

nlohmann::ordered_json to_json(const Preprocess& recipe) {
  return nlohmann::ordered_json::parse(fovea::to_json(Recipe{recipe, true}));
}

}  // namespace fovea::cli
