#include "provenance.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "fovea/version.hpp"
#include "how.hpp"
#include "recipe.hpp"
#include "targets.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

Json digest_json(const std::string& file, Digests& digests) {
  const auto digest = digests.of(file);
  return digest ? Json(*digest) : Json(nullptr);
}

// The files of external weights are named from the model's folder, so that a model may move.
Json model_json(const Session& session, Digests& digests) {
  auto json = file_json(session.model_file, digests);
  const auto folder = std::filesystem::path(session.model_file).parent_path();
  for (const auto& file : external_files(session))
    json["external"].push_back({{"file", std::filesystem::path(file).lexically_relative(folder)},
                                {"sha256", digest_json(file, digests)}});
  return json;
}

// Defaults too: those of another version may be others.
Json options_json(const MethodInfo& info, const Method& method) {
  auto json = Json::object();
  for (const auto& option : info.options) json[option.name] = option.value;
  for (const auto& [name, value] : method.options) json[name] = value;
  return json;
}

// `came_out`: what a rank turned out to be; none where each image has its own.
Json target_json(const Target& target, std::optional<std::int64_t> came_out,
                 const ExplainArguments& arguments, Digests& digests) {
  using Kind = Target::Kind;
  Json json;
  if (!arguments.similar_to.empty())
    json["similar_to"] = file_json(arguments.similar_to, digests);
  else if (target.kind == Kind::ranked && !came_out)
    json["rank"] = target.value;
  else
    json["class"] = target.kind == Kind::ranked ? *came_out : target.value;
  if (is_region_file(arguments.region)) {
    json["region"] = file_json(arguments.region, digests);
  } else if (!arguments.region.empty()) {
    const auto [x, y, width, height] = parse_region(arguments.region);
    json["region"] = {x, y, width, height};
  }
  if (target.kind == Kind::difference) json["minus"] = target.other;
  if (target.probability) json["probability"] = true;
  if (target.negated) json["negated"] = true;
  return json;
}

}  // namespace

std::vector<std::string> external_files(const Session& session) {
  std::vector<std::string> out;
  const auto& files = session.model.files();
  for (std::size_t i = 1; i < files.size(); ++i) out.push_back(files[i].string());
  return out;
}

Json file_json(const std::string& file, Digests& digests) {
  return {{"file", file}, {"sha256", digest_json(file, digests)}};
}

void start_digests(const Session& session, Digests& digests) {
  for (const auto& file : session.model.files()) digests.start(file.string());
  if (session.photo) digests.start(session.photo->file);
  for (const auto& [name, file] : session.tensor_files) digests.start(file);
  if (!session.labels_file.empty()) digests.start(session.labels_file);
}

std::string decode_text(const Photo& photo) {
  const auto& [image, width, height, whole] = photo.pixels;
  return image.width == width && image.height == height ? "full" : "reduced";
}

Json provenance_json(const std::string& command, const Session& session, const Explainer& explainer,
                     Digests& digests) {
  const auto build = build_info();
  const auto& options = session.options;
  Json json;
  json["format"] = kProvenanceFormat;
  json["fovea"] = build.version;
  json["onednn"] = build.onednn;
  json["onednn_isa"] = build.onednn_isa;
  json["command"] = command;
  json["model"] = model_json(session, digests);
  if (session.photo) {
    json["image"] = file_json(session.photo->file, digests);
    json["preprocess"] = to_json(session.photo->recipe);
    json["decode"] = decode_text(*session.photo);
  }
  for (const auto& [name, file] : session.tensor_files)
    json["inputs"][name] = file_json(file, digests);
  if (!session.labels_file.empty()) json["labels"] = file_json(session.labels_file, digests);
  json["input_shapes"] = options.input_shapes;
  json["output_name"] = options.output;
  json["multi_label"] = options.multi_label;
  json["token_grid"] = options.token_grid;
  json["prefix_tokens"] = options.prefix_tokens ? Json(*options.prefix_tokens) : Json(nullptr);
  json["precision"] = precision_text(explainer.precision());
  json["optimize"] = options.optimize;
  json["tune"] = tuning_text(options.tuning);
  json["threads"] = explainer.threads();
  return json;
}

Json explain_provenance(const ExplainArguments& arguments, const Session& session,
                        const Explainer& explainer, const Method& method,
                        const std::vector<Target>& targets,
                        const std::vector<Explanation>& explanations, Digests& digests) {
  auto json = provenance_json("explain", session, explainer, digests);
  json["method"] = method.name;
  const auto& info = info_of(method.name);
  json["options"] = options_json(info, method);
  // Null where the input itself was explained.
  const auto prepared = explainer.prepared_layers();
  const auto& layer = explanations.front().layer;
  const bool known = std::find(prepared.begin(), prepared.end(), layer) != prepared.end();
  json["layer"] = known ? Json(layer) : Json(nullptr);
  json["layers"] = explanations.front().layers;
  json["fuse"] = arguments.fuse;
  json["smooth"] = arguments.smooth;
  json["keep_sign"] = arguments.keep_sign;
  if (!method.layer_rules.empty()) json["layer_rules"] = method.layer_rules;
  for (const auto& text : arguments.given) {
    const auto at = text.find('=');
    json["given"][text.substr(0, at)] = file_json(text.substr(at + 1), digests);
  }
  auto& asked = json["targets"] = Json::array();
  const bool one_image = explanations.size() == targets.size();
  for (std::size_t i = 0; i < targets.size(); ++i)
    asked.push_back(target_json(
        targets[i], one_image ? std::optional(explanations[i].target.class_index) : std::nullopt,
        arguments, digests));
  json["normalize"] = arguments.normalize;
  json["colormap"] = arguments.colormap;
  json["alpha"] = arguments.alpha;
  json["box"] = arguments.box_share ? Json(shortest(*arguments.box_share)) : Json(nullptr);
  json["words"] = arguments.words;
  if (!arguments.examples.empty()) {
    json["examples"] = file_json(arguments.examples, digests);
    json["examples"]["count"] = arguments.example_count;
  }
  return json;
}

Json sheet_provenance(const ExplainArguments& arguments, const Session& session,
                      const Explainer& explainer, const std::vector<Method>& methods,
                      const std::vector<Target>& targets,
                      const std::vector<std::int64_t>& explained, Digests& digests) {
  auto json = provenance_json("explain, a sheet", session, explainer, digests);
  auto& listed = json["methods"] = Json::array();
  for (const auto& method : methods) {
    Json row = {{"method", method.name}, {"options", options_json(info_of(method.name), method)}};
    if (!method.layer_rules.empty()) row["layer_rules"] = method.layer_rules;
    listed.push_back(std::move(row));
  }
  // Methods of the input turn to a layer where one is named, so a default stays unnamed.
  json["layers"] =
      arguments.layers.empty() ? std::vector<std::string>{} : explainer.prepared_layers();
  json["smooth"] = arguments.smooth;
  json["keep_sign"] = arguments.keep_sign;
  auto& asked = json["targets"] = Json::array();
  for (std::size_t i = 0; i < targets.size(); ++i)
    asked.push_back(target_json(targets[i], explained[i], arguments, digests));
  json["score"] = arguments.score.empty() ? Json(nullptr) : Json(arguments.score);
  json["normalize"] = arguments.normalize.empty() ? Json(nullptr) : Json(arguments.normalize);
  json["colormap"] = arguments.colormap;
  json["alpha"] = arguments.alpha;
  return json;
}

std::vector<ImageText> sheet_texts(const Json& provenance) {
  return {{"Software", "fovea " + provenance.at("fovea").get<std::string>()},
          {kProvenanceKey, provenance.dump(-1, ' ', true, Json::error_handler_t::replace)}};
}

std::vector<ImageText> picture_texts(Json provenance, const std::string& kind,
                                     const Explanation& why, std::size_t target) {
  const auto software = "fovea " + provenance.at("fovea").get<std::string>();
  auto own = provenance.at("targets").at(target);
  if (own.erase("rank") > 0) own["class"] = why.target.class_index;
  provenance["targets"] = Json::array({std::move(own)});
  provenance["picture"] = {{"kind", kind}, {"image", why.image}};
  // ASCII, which every program that shows a PNG's texts can show.
  auto text = provenance.dump(-1, ' ', true, Json::error_handler_t::replace);
  return {{"Software", software}, {kProvenanceKey, std::move(text)}};
}

}  // namespace fovea::cli
