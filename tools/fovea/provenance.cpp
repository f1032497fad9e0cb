#include "provenance.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "fovea/version.hpp"

namespace fovea::cli {
std::vector<std::string> external_files(const Session& session) {
  std::vector<std::string> out;
  const auto& files = session.model.files();
  for (std::size_t i = 1; i < files.size(); ++i) out.push_back(files[i].string());
  return out;
}

void start_digests(const Session& session, Digests& digests) {
  for (const auto& file : session.model.files()) digests.start(file.string());
  if (session.photo) digests.start(session.photo->file);
  for (const auto& [name, file] : session.request.inputs) digests.start(file.file);
  if (session.request.labels) digests.start(session.request.labels->file);
}

Json provenance_json(Request request, Digests& digests) {
  take_digests(request, [&](const std::string& file) { return digests.of(file); });
  const auto build = build_info();
  auto json = Json::parse(to_json(request));
  Json out = {{"format", json.at("format")},
              {"fovea", build.version},
              {"onednn", build.onednn},
              {"onednn_isa", build.onednn_isa}};
  json.erase("format");
  out.update(json);
  return out;
}

std::vector<ImageText> sheet_texts(const Json& provenance) {
  return {{"Software", "fovea " + provenance.at("fovea").get<std::string>()},
          {kProvenanceKey, provenance.dump(-1, ' ', true, Json::error_handler_t::replace)}};
}

std::vector<ImageText> texts_of_all(Json provenance, const std::string& kind) {
  provenance["picture"] = {{"kind", kind}};
  return sheet_texts(provenance);
}

std::vector<ImageText> picture_texts(Json provenance, const std::string& kind,
                                     const Explanation& why, std::size_t target) {
  const auto software = "fovea " + provenance.at("fovea").get<std::string>();
  auto own = provenance.at("targets").at(target);
  if (why.prediction && own.erase("rank") > 0) own["class"] = why.prediction->class_index;
  provenance["targets"] = Json::array({std::move(own)});
  provenance["picture"] = {{"kind", kind}, {"image", why.image}};
  // ASCII, which every program that shows a PNG's texts can show.
  auto text = provenance.dump(-1, ' ', true, Json::error_handler_t::replace);
  std::vector<ImageText> out = {{"Software", software}, {kProvenanceKey, std::move(text)}};
  std::string warnings;
  for (const auto& warning : why.warnings) warnings += (warnings.empty() ? "" : "\n") + warning;
  if (!warnings.empty()) out.push_back({"Warning", std::move(warnings)});
  return out;
}

}  // namespace fovea::cli
