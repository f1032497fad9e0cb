#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "fovea/session.hpp"

namespace fovea {
namespace {

using Digest = std::function<std::optional<std::string>(const std::string&)>;

std::optional<std::string> digest_of(const std::string& file, const Digest& digest) {
  return digest ? digest(file) : sha256_of(file);
}

/// `of(what, file, where)` for every file of the request that changes what comes out, and for the
/// labels.
template <class OneRequest, class Of>
void each_file(OneRequest& request, Of&& of) {
  const auto take = [&](const char* what, auto& file) { of(what, file, file.file); };
  take("model", request.model);
  if (request.second) take("second model", request.second->model);
  // Their names are seen from the model's folder, so that a model may move.
  const auto folder = std::filesystem::path(request.model.file).parent_path();
  for (auto& file : request.external) of("weights file", file, (folder / file.file).string());
  if (request.image) take("image", *request.image);
  if (request.labels) take("labels", *request.labels);
  for (auto& [name, file] : request.inputs) take("tensor", file);
  for (auto& method : request.methods)
    for (auto& [name, file] : method.given) take("tensor", file);
  for (auto& target : request.targets) {
    if (target.kind == RequestTarget::Kind::similar_to) take("other image", target.image);
    if (target.region && std::holds_alternative<RequestFile>(*target.region))
      take("region's mask", std::get<RequestFile>(*target.region));
    for (auto& [name, file] : target.files) take("mask", file);
  }
  if (request.examples) take("index of examples", request.examples->index);
}

bool is_of_model(const std::string& what) {
  return what == "model" || what == "second model" || what == "weights file";
}

}  // namespace

void take_digests(Request& request, const Digest& digest) {
  for (auto& target : request.targets)
    for (auto& name : files_in_text(target)) target.files.try_emplace(name, RequestFile{name});
  each_file(request, [&](const std::string&, RequestFile& file, const std::string& where) {
    file.sha256 = digest_of(where, digest).value_or("");
  });
}

void require_recorded(const std::string& what, const std::string& file, const RequestFile& recorded,
                      ErrorCode code, const Digest& digest) {
  const ErrorContext where{.file = file, .node = {}, .op = {}};
  const auto& then = recorded.sha256;
  if (!then || then->empty())
    throw Error(code, "nothing was recorded that would tell whether this is the same " + what,
                where);
  const auto now = digest_of(file, digest);
  if (!now) throw Error(code, "the " + what + " cannot be read twice", where);
  if (*now != *then)
    throw Error(
        code,
        "this is not the " + what + " that was recorded: its SHA-256 is " + *now + ", not " + *then,
        where);
}

std::string other_labels(const std::string& recorded) {
  return "the labels in '" + recorded + "' are not those of the result to replay";
}

std::vector<std::string> require_recorded(Request& request, const Digest& digest) {
  std::vector<std::string> warnings;
  each_file(
      request, [&](const std::string& what, const RequestFile& file, const std::string& where) {
        std::error_code failure;
        if (!file.sha256 || what == "labels") return;
        // What is not there is told of by who reads it.
        if (!std::filesystem::exists(where, failure)) return;
        require_recorded(what, where, file,
                         is_of_model(what) ? ErrorCode::bad_model : ErrorCode::bad_input, digest);
      });
  auto& labels = request.labels;
  if (!labels || !labels->sha256) return warnings;
  if (digest_of(labels->file, digest) == labels->sha256) return warnings;
  warnings.push_back(other_labels(labels->file));
  std::error_code failure;
  if (!std::filesystem::exists(labels->file, failure)) labels.reset();
  return warnings;
}

}  // namespace fovea
