#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "findings.hpp"
#include "json_output.hpp"
#include "npy.hpp"
#include "outputs.hpp"
#include "photos.hpp"
#include "provenance.hpp"
#include "recipe.hpp"
#include "seen.hpp"
#include "sha256.hpp"
#include "subcommands.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

ExplainOutputs files_of(const Outputs& given) {
  ExplainOutputs out;
  static_cast<Outputs&>(out) = given;
  return out;
}

std::string result_text(const Session& session, Run& run, std::size_t top) {
  auto out = findings_text(session);
  const auto images = out.empty() ? run.logits().shape.front() : 0;
  for (std::int64_t image = 0; image < images; ++image) {
    if (images > 1) out += "image " + std::to_string(image + 1) + "\n";
    const auto& rows = run.predictions(image);
    out += rows.empty()
               ? "the scores lie at positions, where no class has one: --logits FILE writes "
                 "them, and explain --region looks at a class in a region\n"
               : "probability   logit  class\n";
    for (std::size_t i = 0; i < rows.size() && i < top; ++i)
      out += (std::isnan(rows[i].probability) ? "          -"
                                              : number_text("%11.4f", rows[i].probability)) +
             number_text("%8.4g", rows[i].logit) + "  " +
             class_text(rows[i].class_index, session.labels) + "\n";
    out += "\n";
  }
  if (session.photo)
    out +=
        "preprocess  " + recipe_text(*session.photo) + "\nsaw  " + seen_text(*session.photo) + "\n";
  return out + "time  " + timings_text(session.times) + "\n";
}

Json result_json(const Session& session, const Explainer& explainer, Run& run, std::size_t top) {
  auto json = run_json(session, explainer);
  add_findings(json, session);
  json["predictions"] = predictions_json(run.predictions(0), session.labels, top);
  auto& images = json["images"] = Json::array();
  for (std::int64_t i = 0; i < run.logits().shape.front(); ++i) {
    Json image;
    image["predictions"] = predictions_json(run.predictions(i), session.labels, top);
    images.push_back(std::move(image));
  }
  json["timings_ms"] = timings_json(session.times);
  json["warnings"] = session.warnings;
  return json;
}

void predict_photo(Session& session, const Explainer& explainer, const PredictArguments& arguments,
                   const ExplainOutputs& names, Digests& digests, Photos& photos) {
  const bool tells = !names.json.empty() && !names.no_provenance;
  if (tells) start_digests(session, digests);
  // As it was before the run, which carries a task's states on.
  const auto before = came_out(session, explainer);
  auto run = session.ask(explainer);
  session.warnings.insert(session.warnings.end(), run.warnings().begin(), run.warnings().end());
  const auto top = static_cast<std::size_t>(arguments.top);
  OutputFiles outputs;
  if (!names.logits.empty()) outputs.add(names.logits, npy_bytes(run.logits()));
  auto document = result_json(session, explainer, run, top);
  if (tells) document["provenance"] = provenance_json(before, digests);
  photos.add_json(outputs, names.json, document);
  outputs.write();
  outputs.tell(photos.heading(session) + result_text(session, run, top));
  if (names.json != "-") print_warnings(photos.warnings(session));
}

}  // namespace

void predict(const PredictArguments& arguments) {
  auto asked = cli::asked(arguments);
  asked.request.command = Request::Command::predict;
  const auto files = files_of(arguments);
  require_own_names(files, asked.photos.size());
  check_output_files(files, asked);
  Photos photos(asked.photos, arguments.json);
  auto session = photos.open(asked, false);
  Digests digests;
  if (!arguments.json.empty() && !arguments.no_provenance) start_digests(session, digests);
  auto explainer = make_explainer(session, {}, {}, asked.plan_cache);
  bool is_first = true;
  photos.each(session, [&](const std::string& name) {
    // A caption that is written word by word is a network of its own.
    if (!std::exchange(is_first, false) && session.writer)
      explainer = make_explainer(session, {}, {}, asked.plan_cache);
    predict_photo(session, explainer, arguments, named(files, name), digests, photos);
  });
}

}  // namespace fovea::cli
