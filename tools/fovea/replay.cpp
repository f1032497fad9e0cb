#include "replay.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <system_error>
#include <tuple>
#include <utility>

#include "fovea/image.hpp"
#include "fovea/version.hpp"
#include "provenance.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

using nlohmann::json;

constexpr std::uintmax_t kLargestResult = std::uintmax_t{256} << 20;

[[noreturn]] void refuse(const std::string& sentence, const std::string& file) {
  throw Error(ErrorCode::invalid_argument, sentence, {.file = file, .node = {}, .op = {}});
}

// The document as text: a result's JSON, or what a PNG carries.
std::string read_document(const std::string& file) {
  auto bytes = read_text(file, ErrorCode::invalid_argument, kLargestResult);
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
  } catch (const json::exception&) {
    refuse("the provenance is damaged", file);
  }
}

void check_digest(const std::string& what, const std::string& file, const RequestFile& recorded,
                  Digests& digests, ErrorCode code) {
  std::error_code failure;
  if (!std::filesystem::exists(file, failure))
    throw Error(code, "the " + what + " to replay is not there any more, nor beside the result",
                {.file = file, .node = {}, .op = {}});
  require_recorded(what, file, recorded, code,
                   [&](const std::string& one) { return digests.of(one); });
}

std::string other_version(const std::string& of, const std::string& then, const std::string& now) {
  return "the result was made with " + of + " " + then + ", and this is " + now +
         ": maps may differ";
}

// A result says all of this; what one leaves out would be made up.
constexpr auto kAlways = std::to_array<const char*>(
    {"model", "input_shapes", "output_name", "multi_label", "token_grid", "prefix_tokens",
     "precision", "optimize", "tune", "layers", "smooth", "keep_sign", "targets", "normalize",
     "colormap", "alpha", "fovea", "onednn"});
constexpr auto kOfOneMethod =
    std::to_array<const char*>({"method", "options", "layer", "fuse", "box"});
constexpr auto kOfASheet = std::to_array<const char*>({"methods", "score"});

template <class Names>
void require_all(const json& recorded, const Names& names, const std::string& file) {
  for (const auto* name : names)
    if (!recorded.contains(name))
      refuse("the provenance is damaged: '" + std::string(name) + "' is missing", file);
}

}  // namespace

Replay::Replay(const std::string& file) : file_(file) {
  auto document = json::parse(read_document(file), nullptr, false);
  if (document.is_discarded() || !document.is_object())
    refuse("this is neither the JSON of a result nor a PNG", file);
  // A provenance without it may have it beside itself: format 1 did not always hold it.
  const auto features = document.contains("features") ? document["features"] : json();
  if (document.contains("provenance")) document = json(document["provenance"]);
  if (!document.is_object() || !document.contains("format") || !document.contains("model"))
    refuse("this result carries no provenance to replay", file);
  const bool sheet = reading(file, [&] {
    const auto command = document.at("command").get<std::string>();
    if (command == "predict" || command == "index")
      refuse("this is the result of 'fovea " + command +
                 "', and only those of 'fovea explain' can be replayed",
             file);
    fovea_ = document.at("fovea").get<std::string>();
    onednn_ = document.at("onednn").get<std::string>();
    return command != "explain";
  });
  recorded_ = in_file(file, [&] { return request_from_json(document.dump(), "provenance"); });
  if (recorded_.features.empty() && features.is_string() && recorded_.layers.size() == 1 &&
      features != recorded_.layers.front())
    recorded_.features = features;
  require_all(document, kAlways, file);
  if (sheet)
    require_all(document, kOfASheet, file);
  else
    require_all(document, kOfOneMethod, file);
}

void Replay::locate(RequestFile& file, Digests& digests) const {
  namespace fs = std::filesystem;
  const fs::path was(file.file), folder = fs::path(file_).parent_path();
  std::vector<fs::path> places = {was};
  if (was.is_relative()) places.push_back(folder / was);
  places.push_back(folder / was.filename());
  std::string found;
  for (const auto& place : places) {
    std::error_code failure;
    if (!fs::exists(place, failure)) continue;
    if (found.empty()) found = place.string();
    if (!file.sha256 || file.sha256->empty() || digests.of(place.string()) != file.sha256) continue;
    found = place.string();
    break;
  }
  if (!found.empty()) file.file = found;
}

void Replay::locate_all(Request& request, Digests& digests) const {
  locate(request.model, digests);
  if (request.second) locate(request.second->model, digests);
  for (auto* file : {&request.image, &request.labels})
    if (*file) locate(**file, digests);
  for (auto& [name, tensor] : request.inputs) locate(tensor, digests);
  for (auto& target : request.targets) {
    if (target.kind == RequestTarget::Kind::similar_to) locate(target.image, digests);
    if (target.region && std::holds_alternative<RequestFile>(*target.region))
      locate(std::get<RequestFile>(*target.region), digests);
    for (auto& [name, file] : target.files) locate(file, digests);
  }
  for (auto& method : request.methods)
    for (auto& [name, tensor] : method.given) locate(tensor, digests);
  if (request.examples) locate(request.examples->index, digests);
}

Asked Replay::asked(const ExplainArguments& arguments, const IsGiven& given,
                    Digests& digests) const {
  auto out = cli::asked(arguments);
  const auto anew = std::exchange(out.request, recorded_);
  auto& request = out.request;
  locate_all(request, digests);
  if (out.photo_given && out.photos.size() > 1)
    refuse("a result is made again of one image, and several are given", file_);
  if (out.model_given) request.model.file = anew.model.file;
  if (out.photo_given) {
    if (!request.image) refuse("the result to replay was made without an image", file_);
    request.image->file = anew.image->file;
  }
  if (given("--labels")) request.labels = anew.labels;
  if (given("--tune")) request.tuning = anew.tuning;
  request.threads = anew.threads;
  if (anew.exact_decode) request.exact_decode = true;
  if (given("--colormap")) request.colormap = anew.colormap;
  if (given("--alpha")) request.alpha = anew.alpha;
  if (given("--opacity")) request.opacity_by_value = anew.opacity_by_value;
  if (given("--percentile")) request.percentile = anew.percentile;
  if (anew.caption) request.caption = true;
  if (given("--sheet-width")) request.sheet_width = anew.sheet_width;
  if (given("--no-enlarge")) request.enlarge = anew.enlarge;
  if (given("--box")) request.box_share = anew.box_share;
  if (anew.words) request.words = true;
  if (given("--examples")) {
    auto& examples = request.examples ? *request.examples : request.examples.emplace();
    examples.index.file = anew.examples->index.file;
  }
  if (given("--example-count") && request.examples)
    request.examples->count = arguments.example_count;
  out.photos.clear();
  if (request.image) out.photos = {request.image->file};
  // A layer that is named has its own features.
  if (!request.features.empty() && (request.words || request.examples)) request.layers.clear();
  out.also_read.push_back(file_);
  return out;
}

void Replay::check_files(Request& request, Digests& digests) const {
  check_digest("model", request.model.file, recorded_.model, digests, ErrorCode::bad_model);
  if (recorded_.second)
    check_digest("second model", request.second->model.file, recorded_.second->model, digests,
                 ErrorCode::bad_model);
  if (recorded_.image)
    check_digest("image", request.image->file, *recorded_.image, digests, ErrorCode::bad_input);
  if (recorded_.examples)
    check_digest("index of examples", request.examples->index.file, recorded_.examples->index,
                 digests, ErrorCode::bad_input);
  std::error_code failure;
  if (request.labels && !std::filesystem::exists(request.labels->file, failure))
    request.labels.reset();
}

void Replay::check_session(Session& session, Digests& digests) const {
  const auto warn = [&](std::string text) { session.warnings.push_back(std::move(text)); };
  // As recorded, but where it is now.
  const auto check = [&](const std::string& what, RequestFile file) {
    locate(file, digests);
    check_digest(what, file.file, file, digests, ErrorCode::bad_input);
  };
  const auto folder = std::filesystem::path(session.request.model.file).parent_path();
  for (const auto& weights : recorded_.external)
    check_digest("weights file", (folder / weights.file).string(), weights, digests,
                 ErrorCode::bad_model);
  for (const auto& [name, tensor] : recorded_.inputs)
    if (const auto at = session.request.inputs.find(name); at != session.request.inputs.end())
      check_digest("tensor", at->second.file, tensor, digests, ErrorCode::bad_input);
  for (const auto& target : recorded_.targets) {
    if (target.region && std::holds_alternative<RequestFile>(*target.region))
      check("region's mask", std::get<RequestFile>(*target.region));
    for (const auto& [name, file] : target.files) check("mask", file);
    if (target.kind == RequestTarget::Kind::similar_to) check("other image", target.image);
  }
  for (const auto& method : recorded_.methods)
    for (const auto& [name, tensor] : method.given) check("tensor", tensor);

  if (recorded_.labels) {
    const auto& now = session.request.labels;
    const auto digest = now ? digests.of(now->file) : std::nullopt;
    if (!digest || digest != recorded_.labels->sha256) warn(other_labels(recorded_.labels->file));
  }
  const auto build = build_info();
  for (const auto& [name, then, now] :
       {std::tuple{"fovea", fovea_, build.version}, std::tuple{"onednn", onednn_, build.onednn}})
    if (then != now) warn(other_version(name, then, now));
  if (session.photo && recorded_.exact_decode != session.photo->is_whole())
    warn(
        "the result was made from a reduced image, which an overlay does not allow: maps may "
        "differ a little");
}

}  // namespace fovea::cli
