#include "sheet.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>

#include "fovea/image.hpp"
#include "how.hpp"
#include "json_output.hpp"
#include "long_call.hpp"
#include "outputs.hpp"
#include "pictures.hpp"
#include "provenance.hpp"
#include "replay.hpp"
#include "session.hpp"
#include "targets.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

void check(const ExplainArguments& arguments) {
  const auto refuse = [](const std::string& sentence) {
    throw Error(ErrorCode::invalid_argument, sentence);
  };
  if (arguments.output.empty() && arguments.json.empty())
    refuse("several methods make a sheet: say where with --output");
  if (!arguments.heatmap.empty() || !arguments.map.empty() || !arguments.feature_map.empty() ||
      arguments.box_share || !arguments.given.empty() || arguments.words ||
      !arguments.examples.empty())
    refuse(
        "--heatmap, --map, --feature-map, --box, --given, --words and --examples are of one "
        "method");
}

/// The methods that the model can serve, each checked on its own.
std::vector<Method> servable(const ExplainArguments& arguments, Session& session) {
  std::vector<Method> out;
  for (const auto& name : method_names(arguments)) {
    const auto method = method_for(name, arguments);
    try {
      auto options = session.options;
      options.methods = {method};
      options.layers = arguments.layers;
      options.tuning = Tuning::off;
      static_cast<void>(make_explainer(session.model, options));
      out.push_back(method);
    } catch (const Error& error) {
      const bool of_method = error.code() == ErrorCode::invalid_argument ||
                             error.code() == ErrorCode::unsupported;  // by the method's rules
      if (arguments.method != "all" || !of_method) throw;
      session.warnings.push_back(name + " is left out: " + error.what());
    }
  }
  return out;
}

std::string caption(const Explanation& why, const Target& target, const ExplainArguments& arguments,
                    const Labels& labels) {
  const std::string against = target.negated ? "against " : "";
  if (!arguments.similar_to.empty())
    return against + "like " + std::filesystem::path(arguments.similar_to).filename().string();
  if (!arguments.region.empty())
    return against + class_text(target.value, labels) + " in the region";
  if (target.kind == Target::Kind::difference)
    return class_text(target.value, labels) + " - " + class_text(target.other, labels);
  return against + class_text(why.target.class_index, labels);
}

/// The last row in pieces that a screen shows, each below the photo's place.
void wrap(std::vector<std::vector<SheetCell>>& rows) {
  constexpr std::size_t kMaps = 6;
  while (rows.back().size() > kMaps + 1) {
    auto& full = rows.back();
    std::vector<SheetCell> rest(1);
    std::move(full.begin() + kMaps + 1, full.end(), std::back_inserter(rest));
    full.resize(kMaps + 1);
    rows.push_back(std::move(rest));
  }
}

Json row_json(const Explanation& why, const Labels& labels) {
  Json row;
  row["method"] = why.method;
  row["layer"] = why.layer;
  row["target"] = prediction_json(why.target, labels);
  row["score"] = shortest(static_cast<float>(why.score));
  row["grid"] = why.feature_map.shape;
  row["warnings"] = why.warnings;
  row["timings_ms"] = {{"backward", why.timings_ms.backward}, {"map", why.timings_ms.map}};
  return row;
}

}  // namespace

void explain_sheet(ExplainArguments& arguments, const Replay* replay) {
  check(arguments);
  Digests digests;
  if (replay != nullptr) replay->check_files(arguments, digests);
  auto session = open_session(arguments, true);
  if (replay != nullptr) replay->check_session(session, digests);
  if (!arguments.no_provenance) start_digests(session, digests);
  session.options.smoothing = arguments.smooth;
  choose_output(arguments, session);
  const auto chosen = choose_targets(arguments, session.labels);
  const auto wanted = in_file(session.model_file, [&] { return servable(arguments, session); });
  const auto explainer = session.explainer(arguments.layers, wanted);
  const auto targets = resolved_targets(arguments, session, explainer, chosen);
  const auto run = session.forward(explainer);
  check_targets(targets, run.logits().shape.back());
  if (run.logits().shape.front() > 1)
    throw Error(ErrorCode::invalid_argument,
                "several methods on one sheet are of one image: the input holds " +
                    std::to_string(run.logits().shape.front()));
  // Methods that explain the input turn to a layer where one is named, so the default goes unnamed.
  const auto layers =
      arguments.layers.empty() ? std::vector<std::string>{""} : explainer.prepared_layers();

  std::vector<std::vector<SheetCell>> rows;
  auto listed = Json::array();
  const OverlayOptions colours{arguments.alpha, parse_colormap(arguments.colormap)};
  std::vector<std::int64_t> explained;  // classes
  for (std::size_t t = 0; t < targets.size(); ++t)
    for (const auto& layer : layers) {
      rows.emplace_back();
      auto& row = rows.back();
      for (const auto& method : wanted) {
        auto options = explain_options(arguments);
        options.layer = layer;
        LongCall call(method.name);
        const auto why = in_file(session.model_file, [&] {
          return run.explain(method, target_for(targets[t], arguments, method), options,
                             call.options());
        });
        session.times.backward += why.timings_ms.backward;
        session.times.map += why.timings_ms.map;
        if (explained.size() == t) explained.push_back(why.target.class_index);
        listed.push_back(row_json(why, session.labels));
        if (arguments.output.empty()) continue;
        const FinalMap map(session, why,
                           why.normalize == Normalize::none ? Normalize::max : why.normalize);
        if (row.empty())
          row.push_back({caption(why, chosen[t], arguments, session.labels) +
                             (layers.size() > 1 ? ", " + layer : ""),
                         backdrop(session, map.shape(), 0, false)});
        row.push_back(
            {method.name, map.overlay(backdrop(session, map.shape(), 0, false), colours)});
      }
      wrap(rows);
    }
  Json provenance;
  if (!arguments.no_provenance)
    provenance =
        sheet_provenance(arguments, session, explainer, wanted, chosen, explained, digests);
  OutputFiles outputs;
  if (!arguments.output.empty()) {
    const auto sheet = timed(session.times.render, [&] { return contact_sheet(rows); });
    EncodeOptions options;
    if (!provenance.is_null() && lower(arguments.output).ends_with(".png"))
      options.texts = sheet_texts(provenance);
    outputs.add(arguments.output, timed(session.times.encode, [&] {
                  return encode_image(sheet, arguments.output.substr(arguments.output.rfind('.')),
                                      options);
                }));
  }
  auto document = run_json(session, explainer);
  document["explanations"] = std::move(listed);
  document["timings_ms"] = timings_json(session.times);
  document["warnings"] = session.warnings;
  if (!provenance.is_null()) document["provenance"] = std::move(provenance);
  const auto json = json_text(document);
  if (!arguments.json.empty() && arguments.json != "-") outputs.add(arguments.json, json);
  outputs.write();
  std::string text = "methods      " + std::to_string(wanted.size()) + "\n" + "time         " +
                     timings_text(session.times) + "\n";
  for (const auto& file : outputs.names()) text += "wrote        " + file + "\n";
  print(arguments.json == "-" ? json : text);
  outputs.keep();
  if (arguments.json != "-") print_warnings(session.warnings);
}

}  // namespace fovea::cli
