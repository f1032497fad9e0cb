#include <charconv>
#include <cmath>
#include <cstdlib>

#include "fovea/task_recipe.hpp"
#include "request/check.hpp"
#include "request/format.hpp"
#include "request/recipe.hpp"

// Every struct is taken apart by name: a member that has no line here does not compile.
namespace fovea::request {
namespace {

using Score = RequestTarget::Score;

/// A float as the shortest decimal that gives it back, so that 0.1f is written 0.1.
double shortest(float value) {
  char buffer[64];
  *std::to_chars(buffer, buffer + sizeof buffer - 1, value).ptr = '\0';
  return std::strtod(buffer, nullptr);
}

Json file_json(const RequestFile& value) {
  const auto& [file, sha256] = value;
  Json json = {{"file", file}};
  if (sha256) json["sha256"] = sha256->empty() ? Json(nullptr) : Json(*sha256);
  return json;
}

Json files_json(const std::map<std::string, RequestFile>& files) {
  auto json = Json::object();
  for (const auto& [name, file] : files) json[name] = file_json(file);
  return json;
}

void add_method(Json& json, const RequestMethod& method) {
  const auto& [name, options, layer_rules, given] = method;
  json["method"] = name;
  json["options"] = options;
  if (!layer_rules.empty()) json["layer_rules"] = layer_rules;
  if (!given.empty()) json["given"] = files_json(given);
}

/// What a target says of its score where it says nothing.
Score common_score(const Request& request) {
  auto out = request.command == Request::Command::sheet ? Score::probability : Score::logit;
  for (const auto& target : request.targets) {
    if (target.score == Score::by_method) return Score::by_method;
    if (target.score == Score::logit) out = Score::logit;
  }
  return out;
}

Json target_json(const RequestTarget& target, Score common) {
  using Kind = RequestTarget::Kind;
  const auto& [kind, value, label, image, minus, score, negated, region, similarity, text, files] =
      target;
  Json json;
  if (kind == Kind::similar_to) {
    json["similar_to"] = file_json(image);
    if (similarity != RequestTarget::Similarity::cosine)
      json["similarity"] = name_of(kSimilarities, similarity);
  }
  if (kind == Kind::ranked) json["rank"] = value;
  if (kind == Kind::class_index) json["class"] = value;
  if (kind == Kind::label) json["label"] = label;
  if (kind == Kind::text) json["text"] = text;
  for (const auto& [name, file] : files) json["files"][name] = file_json(file);
  if (region) {
    if (const auto* box = std::get_if<Box>(&*region))
      json["region"] = {box->x, box->y, box->width, box->height};
    else
      json["region"] = file_json(std::get<RequestFile>(*region));
  }
  if (minus) json["minus"] = *minus;
  if (score == Score::probability) json["probability"] = true;
  if (score == Score::logit && common != Score::logit) json["probability"] = false;
  if (negated) json["negated"] = true;
  return json;
}

Json examples_json(const RequestExamples& examples) {
  const auto& [index, count] = examples;
  auto json = file_json(index);
  json["count"] = count;
  return json;
}

Json request_json(const Request& request) {
  const auto& [command, model, external, second, image, preprocess, whole, exact_decode, inputs,
               task, questions, states, labels, fixed_inputs, input_shapes, output, multi_label,
               token_grid, prefix_tokens, precision, optimize, tuning, threads, methods,
               method_by_target, skip_unservable, targets, layers, features, fuse, smooth,
               keep_sign, normalize, colormap, alpha, opacity_by_value, percentile, caption,
               sheet_width, enlarge, box_share, words, examples] = request;
  Json json;
  json["format"] = kFormat;
  json["command"] = name_of(kCommands, command);
  json["model"] = file_json(model);
  for (const auto& file : external) json["model"]["external"].push_back(file_json(file));
  if (second) {
    json["second"] = file_json(second->model);
    if (!second->inputs.empty()) json["second"]["inputs"] = second->inputs;
  }
  if (image) json["image"] = file_json(*image);
  if (preprocess) json["preprocess"] = recipe_json(*preprocess);
  if (whole) json["whole"] = name_of(kWholes, *whole);
  if (image || preprocess || exact_decode) json["decode"] = exact_decode ? "full" : "reduced";
  if (!inputs.empty()) json["inputs"] = files_json(inputs);
  if (task) json["task"] = Json::parse(to_json(*task));
  if (!questions.empty()) json["questions"] = questions;
  if (!states.empty()) json["states"] = states;
  if (labels) json["labels"] = file_json(*labels);
  if (!fixed_inputs.empty()) json["fixed_inputs"] = fixed_inputs;
  json["input_shapes"] = input_shapes;
  json["output_name"] = output;
  json["multi_label"] = multi_label;
  json["token_grid"] = token_grid;
  json["prefix_tokens"] = prefix_tokens ? Json(*prefix_tokens) : Json(nullptr);
  json["precision"] = name_of(kPrecisions, precision);
  json["optimize"] = optimize;
  json["tune"] = name_of(kTunings, tuning);
  json["threads"] = threads;
  if (command == Request::Command::predict || command == Request::Command::index) return json;

  // A sheet says less; what it cannot serve is written all the same, to be refused.
  const bool sheet = command == Request::Command::sheet;
  if (sheet) {
    auto& listed = json["methods"] = Json::array();
    for (const auto& method : methods) add_method(listed.emplace_back(), method);
    json["layers"] = layers;
  } else {
    add_method(json, methods.front());
    json["layer"] = layers.empty() ? Json(nullptr) : Json(layers.front());
    json["layers"] = layers.size() > 1 ? layers : std::vector<std::string>{};
  }
  if (!features.empty()) json["features"] = features;
  if (method_by_target) json["method_by_target"] = true;
  if (skip_unservable) json["skip_unservable"] = true;
  if (!sheet || fuse != Fuse::mean) json["fuse"] = name_of(kFuses, fuse);
  json["smooth"] = smooth;
  json["keep_sign"] = keep_sign;
  const auto common = common_score(request);
  auto& asked = json["targets"] = Json::array();
  for (const auto& target : targets) asked.push_back(target_json(target, common));
  if (common == Score::by_method)
    json["score"] = nullptr;
  else if (sheet)
    json["score"] = name_of(kScores, common);
  json["normalize"] = normalize ? Json(name_of(kNormalizes, *normalize)) : Json(nullptr);
  json["colormap"] = name_of(kColormaps, colormap);
  json["alpha"] = alpha;
  // What an older fovea does not know is written where it matters alone.
  const Request usual;
  if (opacity_by_value) json["opacity"] = name_of(kOpacities, opacity_by_value);
  if (percentile != usual.percentile) json["percentile"] = percentile;
  if (caption) json["caption"] = caption;
  if (sheet_width != usual.sheet_width) json["sheet_width"] = sheet_width;
  if (!enlarge) json["enlarge"] = enlarge;
  if (!sheet || box_share) json["box"] = box_share ? Json(shortest(*box_share)) : Json(nullptr);
  if (!sheet || words) json["words"] = words;
  if (examples) json["examples"] = examples_json(*examples);
  return json;
}

}  // namespace
}  // namespace fovea::request

namespace fovea {

std::string to_json(const Request& request) {
  request::check(request, "request");
  return request::request_json(request).dump(-1, ' ', false,
                                             request::Json::error_handler_t::replace);
}

}  // namespace fovea
