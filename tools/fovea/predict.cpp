#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "json_output.hpp"
#include "npy.hpp"
#include "outputs.hpp"
#include "provenance.hpp"
#include "recipe.hpp"
#include "sha256.hpp"
#include "subcommands.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

void check_usage(const Outputs& arguments, const std::vector<std::string>& inputs) {
  OutputFiles outputs;  // refuses a name that is there twice
  if (!arguments.logits.empty()) {
    check_output(arguments.logits, tensor_extensions(), inputs);
    outputs.add(arguments.logits, std::string_view());
  }
  if (!arguments.json.empty() && arguments.json != "-") {
    check_output(arguments.json, {}, inputs);
    outputs.add(arguments.json, std::string_view());
  }
}

std::string result_text(const Session& session, Run& run, std::size_t top) {
  std::string out;
  const auto images = run.logits().shape.front();
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
    out += "preprocess  " + recipe_text(session.photo->recipe, session.photo->recipe_source) + "\n";
  return out + "time  " + timings_text(session.times) + "\n";
}

Json result_json(const Session& session, const Explainer& explainer, Run& run, std::size_t top) {
  auto json = run_json(session, explainer);
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

}  // namespace

void predict(const PredictArguments& arguments) {
  auto asked = cli::asked(arguments);
  asked.request.command = Request::Command::predict;
  check_usage(arguments, asked.files());
  const auto plan_cache = asked.plan_cache;
  auto session = open_session(std::move(asked), false);
  Digests digests;
  const bool tells = !arguments.json.empty() && !arguments.no_provenance;
  if (tells) start_digests(session, digests);
  const auto explainer = make_explainer(session, {}, {}, plan_cache);
  auto run = session.forward(explainer);
  session.warnings.insert(session.warnings.end(), run.warnings().begin(), run.warnings().end());
  const auto top = static_cast<std::size_t>(arguments.top);
  OutputFiles outputs;
  if (!arguments.logits.empty()) outputs.add(arguments.logits, npy_bytes(run.logits()));
  auto document = result_json(session, explainer, run, top);
  if (tells) document["provenance"] = provenance_json(came_out(session, explainer), digests);
  const auto json = json_text(document);
  if (!arguments.json.empty() && arguments.json != "-") outputs.add(arguments.json, json);
  outputs.write();
  outputs.tell(arguments.json == "-" ? json : result_text(session, run, top));
  if (arguments.json != "-") print_warnings(session.warnings);
}

}  // namespace fovea::cli
