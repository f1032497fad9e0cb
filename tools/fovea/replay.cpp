#include "replay.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "fovea/image.hpp"
#include "fovea/version.hpp"
#include "provenance.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr const char* kSheet = "explain, a sheet";
constexpr std::uintmax_t kLargestResult = std::uintmax_t{256} << 20;

[[noreturn]] void refuse(const std::string& sentence, const std::string& file) {
  throw Error(ErrorCode::invalid_argument, sentence, {.file = file, .node = {}, .op = {}});
}

// The document as text: a result's JSON, or what a PNG carries.
std::string read_document(const std::string& file) {
  const auto bytes = read_text(file, ErrorCode::invalid_argument, kLargestResult);
  if (!bytes.starts_with("\x89PNG")) return bytes;
  for (auto& [key, text] : decode_texts(std::as_bytes(std::span(bytes)), file))
    if (key == kProvenanceKey) return std::move(text);
  refuse("this PNG carries no provenance to replay", file);
}

// What is wrong with the members is told as one error, wherever it is found.
template <class Body>
auto reading(const std::string& file, Body&& body) {
  try {
    return body();
  } catch (const Json::exception&) {
    refuse("the provenance is damaged", file);
  }
}

void check_digest(const std::string& what, const std::string& file, const Json& recorded,
                  Digests& digests, ErrorCode code) {
  const ErrorContext where{.file = file, .node = {}, .op = {}};
  std::error_code failure;
  if (!std::filesystem::exists(file, failure))
    throw Error(code, "the " + what + " to replay is not there any more", where);
  if (!recorded.is_string())
    throw Error(code, "nothing was recorded that would tell whether this is the same " + what,
                where);
  const auto digest = digests.of(file);
  if (!digest) throw Error(code, "the " + what + " cannot be read twice", where);
  if (*digest != recorded.get<std::string>())
    throw Error(code,
                "this is not the " + what + " that was recorded: its SHA-256 is " + *digest +
                    ", not " + recorded.get<std::string>(),
                where);
}

std::string shape_option(const std::string& name, const Json& shape) {
  std::string out = name + "=";
  for (std::size_t i = 0; i < shape.size(); ++i)
    out += (i == 0 ? "" : ",") + std::to_string(shape[i].get<std::int64_t>());
  return out;
}

// A file by its name, or a box.
std::string region_option(const Json& region) {
  if (region.is_object()) return region.at("file").get<std::string>();
  std::string out;
  for (const auto& number : region)
    out += (out.empty() ? "" : ",") + std::to_string(number.get<std::int64_t>());
  return out;
}

// Classes, or the best so many.
void fill_targets(const Json& targets, ExplainArguments& arguments, const std::string& file) {
  for (const auto& target : targets) {
    for (const auto& [member, value] : target.items())
      if (member != "class" && member != "rank" && member != "minus" && member != "probability" &&
          member != "negated" && member != "region" && member != "similar_to")
        refuse("the provenance has a target that cannot be asked for here", file);
    if (!target.contains("class") && !target.contains("rank") && !target.contains("similar_to"))
      refuse("the provenance has a target that cannot be asked for here", file);
    if (target.contains("minus")) arguments.minus = target["minus"].get<std::int64_t>();
    arguments.score = target.contains("probability") ? "probability" : "logit";
    arguments.against = target.contains("negated");
    if (target.contains("region")) arguments.region = region_option(target["region"]);
    if (target.contains("similar_to"))
      arguments.similar_to = target["similar_to"].at("file").get<std::string>();
    else if (target.contains("class"))
      arguments.classes.push_back(target["class"].get<std::int64_t>());
    else
      arguments.top = std::max(arguments.top, target.at("rank").get<std::int64_t>() + 1);
  }
}

// A member that the command line would have checked.
std::string word(const Json& recorded, const char* name, const std::vector<std::string>& words,
                 const std::string& file) {
  auto text = recorded.at(name).get<std::string>();
  if (std::find(words.begin(), words.end(), text) == words.end())
    refuse("the provenance has '" + text + "' for " + name + ", which this fovea does not know",
           file);
  return text;
}

// A sheet's methods, each with its own options.
void fill_methods(const Json& methods, ExplainArguments& arguments, const std::string& file) {
  if (methods.empty()) refuse("the provenance names no methods", file);
  arguments.method.clear();
  for (const auto& row : methods) {
    const auto name = row.at("method").get<std::string>();
    arguments.method += (arguments.method.empty() ? "" : ",") + name;
    auto& options = arguments.options_by_method[name];
    for (const auto& [option, value] : row.at("options").items())
      options[option] = value.get<double>();
    if (row.contains("layer_rules"))
      for (const auto& [layer, rule] : row["layer_rules"].items())
        arguments.layer_rules.push_back(layer + "=" + rule.get<std::string>());
  }
}

bool has_file(const std::string& name, const std::vector<std::string>& inputs) {
  for (const auto& text : inputs)
    if (text.starts_with(name + "=")) return true;
  return false;
}

}  // namespace

Replay::Replay(const std::string& file) : file_(file) {
  const auto text = read_document(file);
  recorded_ = Json::parse(text, nullptr, false);
  if (recorded_.is_discarded() || !recorded_.is_object())
    refuse("this is neither the JSON of a result nor a PNG", file);
  if (recorded_.contains("provenance")) recorded_ = Json(recorded_["provenance"]);
  reading(file, [&] {
    if (!recorded_.is_object() || !recorded_.contains("format") || !recorded_.contains("model"))
      refuse("this result carries no provenance to replay", file);
    if (recorded_["format"].get<int>() != kProvenanceFormat)
      refuse("the provenance has a format that this fovea does not know", file);
    const auto command = recorded_.at("command").get<std::string>();
    if (command != "explain" && command != kSheet)
      refuse("this is the result of 'fovea " + command +
                 "', and only those of 'fovea explain' can be replayed",
             file);
    if (recorded_.at("targets").empty()) refuse("the provenance names no classes", file);
  });
}

void Replay::fill(ExplainArguments& arguments, const IsGiven& given) const {
  const auto& all = recorded_;
  reading(file_, [&] {
    if (!given("--model")) arguments.model = all.at("model").at("file").get<std::string>();
    if (all.contains("image") && !given("--image"))
      arguments.image = all["image"].at("file").get<std::string>();
    if (!all.contains("image") && given("--image"))
      refuse("the result to replay was made without an image", file_);
    if (all.contains("preprocess")) arguments.preprocess = all["preprocess"].dump();
    if (all.contains("inputs"))
      for (const auto& [name, tensor] : all["inputs"].items())
        if (!has_file(name, arguments.inputs) && !(given("--input") && all["inputs"].size() == 1))
          arguments.inputs.push_back(name + "=" + tensor.at("file").get<std::string>());
    if (all.contains("labels") && !given("--labels"))
      arguments.labels = all["labels"].at("file").get<std::string>();
    for (const auto& [name, shape] : all.at("input_shapes").items())
      if (!shape.empty()) arguments.input_shapes.push_back(shape_option(name, shape));
    if (const auto& grid = all.at("token_grid"); !grid.empty())
      for (const auto& extent : grid)
        arguments.token_grid +=
            (arguments.token_grid.empty() ? "" : "x") + std::to_string(extent.get<std::int64_t>());
    if (!all.at("prefix_tokens").is_null())
      arguments.prefix_tokens = all["prefix_tokens"].get<int>();
    arguments.output_name = all.at("output_name").get<std::string>();
    arguments.multi_label = all.at("multi_label").get<bool>();
    arguments.precision = word(all, "precision", {"f32", "bf16"}, file_);
    arguments.no_optimize = !all.at("optimize").get<bool>();
    if (!given("--tune"))
      arguments.tune = word(all, "tune", {"off", "quick", "thorough", "winograd"}, file_);
    if (all.contains("decode") && all["decode"] == "full") arguments.exact_decode = true;
    arguments.sheet = all["command"] == kSheet;
    if (!all.at("layers").empty()) arguments.layers = all["layers"].get<std::vector<std::string>>();
    if (arguments.sheet) {
      fill_methods(all.at("methods"), arguments, file_);
    } else {
      arguments.method = all.at("method").get<std::string>();
      for (const auto& [name, value] : all.at("options").items())
        arguments.method_options[name] = value.get<double>();
      if (arguments.layers.empty() && !all.at("layer").is_null())
        arguments.layers = {all["layer"].get<std::string>()};
      arguments.fuse = word(all, "fuse", {"mean", "max", "product"}, file_);
      if (!given("--box") && !all.at("box").is_null())
        arguments.box_share = all["box"].get<float>();
    }
    arguments.smooth = all.at("smooth").get<bool>();
    arguments.keep_sign = all.at("keep_sign").get<bool>();
    if (all.contains("layer_rules"))
      for (const auto& [layer, rule] : all["layer_rules"].items())
        arguments.layer_rules.push_back(layer + "=" + rule.get<std::string>());
    if (all.contains("given"))
      for (const auto& [name, tensor] : all["given"].items())
        arguments.given.push_back(name + "=" + tensor.at("file").get<std::string>());
    fill_targets(all.at("targets"), arguments, file_);
    if (arguments.sheet && all.at("score").is_null()) arguments.score.clear();
    if (!arguments.sheet || !all.at("normalize").is_null())
      arguments.normalize = word(all, "normalize", {"max", "minmax", "none"}, file_);
    if (!given("--colormap"))
      arguments.colormap = word(all, "colormap", {"jet", "turbo", "viridis", "inferno"}, file_);
    if (!given("--alpha")) arguments.alpha = all.at("alpha").get<double>();
    if (all.contains("words") && all["words"].get<bool>()) arguments.words = true;
    if (all.contains("examples")) {
      const auto& examples = all["examples"];
      if (!given("--examples")) arguments.examples = examples.at("file").get<std::string>();
      if (!given("--example-count"))
        arguments.example_count = examples.at("count").get<std::int64_t>();
    }
  });
}

void Replay::check_files(ExplainArguments& arguments, Digests& digests) const {
  reading(file_, [&] {
    check_digest("model", arguments.model, recorded_.at("model").at("sha256"), digests,
                 ErrorCode::bad_model);
    if (recorded_.contains("image"))
      check_digest("image", arguments.image, recorded_["image"].at("sha256"), digests,
                   ErrorCode::bad_input);
    if (recorded_.contains("examples"))
      check_digest("index of examples", arguments.examples, recorded_["examples"].at("sha256"),
                   digests, ErrorCode::bad_input);
  });
  std::error_code failure;
  if (!std::filesystem::exists(arguments.labels, failure)) arguments.labels.clear();
}

void Replay::check_session(Session& session, Digests& digests) const {
  const auto warn = [&](std::string text) { session.warnings.push_back(std::move(text)); };
  reading(file_, [&] {
    const auto& model = recorded_.at("model");
    const auto folder = std::filesystem::path(session.model_file).parent_path();
    if (model.contains("external"))
      for (const auto& weights : model["external"])
        check_digest("weights file", (folder / weights.at("file").get<std::string>()).string(),
                     weights.at("sha256"), digests, ErrorCode::bad_model);
    if (recorded_.contains("inputs"))
      for (const auto& [name, tensor] : recorded_["inputs"].items())
        if (const auto at = session.tensor_files.find(name); at != session.tensor_files.end())
          check_digest("tensor", at->second, tensor.at("sha256"), digests, ErrorCode::bad_input);

    for (const auto& target : recorded_.at("targets"))
      for (const auto* member : {"region", "similar_to"})
        if (target.contains(member) && target[member].is_object())
          check_digest(member == std::string("region") ? "region's mask" : "other image",
                       target[member].at("file").get<std::string>(), target[member].at("sha256"),
                       digests, ErrorCode::bad_input);
    if (recorded_.contains("given"))
      for (const auto& [name, tensor] : recorded_["given"].items())
        check_digest("tensor", tensor.at("file").get<std::string>(), tensor.at("sha256"), digests,
                     ErrorCode::bad_input);

    if (recorded_.contains("labels")) {
      const auto& labels = recorded_["labels"];
      const auto digest = digests.of(session.labels_file);
      if (!digest || Json(*digest) != labels.at("sha256"))
        warn("the labels in '" + labels.at("file").get<std::string>() +
             "' are not those of the result to replay");
    }
    const auto build = build_info();
    for (const auto& [name, now] :
         {std::pair{"fovea", build.version}, std::pair{"onednn", build.onednn}})
      if (const auto then = recorded_.at(name).get<std::string>(); then != now)
        warn("the result was made with " + std::string(name) + " " + then + ", and this is " + now +
             ": maps may differ");
    if (session.photo && recorded_.at("decode") != decode_text(*session.photo))
      warn(
          "the result was made from a reduced image, which an overlay does not allow: maps may "
          "differ a little");
  });
}

}  // namespace fovea::cli
