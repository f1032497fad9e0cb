#include "fovea/session.hpp"
#include "request/inputs.hpp"
#include "request/metadata.hpp"
#include "request/text.hpp"

/// What a model says of its photos and classes, and what is assumed where it says nothing.
namespace fovea {

std::optional<Recipe> recipe_of(const Model& model, const std::string& file) {
  const auto& metadata = model.metadata();
  const auto own = metadata.find("fovea.preprocess");
  if (own == metadata.end()) return request::recipe_in_metadata(metadata);
  try {
    return recipe_from_json(own->second, "in the metadata of '" + file + "'");
  } catch (const Error& error) {
    throw Error(ErrorCode::bad_model, error.sentence());
  }
}

// A network that takes integers has its preprocessing inside.
Recipe assumed_recipe(const ValueInfo& input) {
  if (!request::takes_integers(input.type)) return {};
  if (input.type == DataType::i8 || input.type == DataType::boolean)
    throw Error(
        ErrorCode::invalid_argument,
        "input '" + input.name + "' is " + std::string(to_string(input.type)) +
            ", which does not hold a pixel of 0 to 255: say with --preprocess what it gets");
  return {Preprocess::raw(), false};
}

Labels labels_of(const Model& model, const std::string& output) {
  const auto& metadata = model.metadata();
  if (const auto own = metadata.find("fovea.labels"); own != metadata.end())
    if (auto labels = parse_labels(own->second); !labels.empty()) return labels;
  const Labels* found = nullptr;
  for (const auto& one : model.outputs()) {
    if (one.labels.empty() || (!output.empty() && one.name != output)) continue;
    if (found != nullptr && *found != one.labels) return {};
    found = &one.labels;
  }
  if (found == nullptr) return request::labels_in_metadata(metadata);
  Labels out;
  for (const auto& label : *found) out.push_back(request::printable_label(label));
  return out;
}

}  // namespace fovea
