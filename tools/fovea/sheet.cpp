#include "sheet.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "captions.hpp"
#include "fovea/image.hpp"
#include "json_output.hpp"
#include "long_call.hpp"
#include "outputs.hpp"
#include "photos.hpp"
#include "pictures.hpp"
#include "provenance.hpp"
#include "replay.hpp"
#include "session.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

void check(const Request& request, const ExplainOutputs& names) {
  const auto refuse = [](const std::string& sentence) {
    throw Error(ErrorCode::invalid_argument, sentence);
  };
  if (names.output.empty() && names.json.empty())
    refuse("several methods make a sheet: say where with --output");
  const bool given = std::any_of(request.methods.begin(), request.methods.end(),
                                 [](const auto& method) { return !method.given.empty(); });
  if (!names.heatmap.empty() || !names.map.empty() || !names.feature_map.empty() ||
      request.box_share || given || request.words || request.examples)
    refuse(
        "--heatmap, --map, --feature-map, --box, --given, --words and --examples are of one "
        "method");
}

/// What a map's reader must know of it beside the method.
std::string sheet_caption(const Explanation& why, const FinalMap& map) {
  auto out = why.method;
  if (map.slices()) out += ", depth " + std::to_string(map.slices()->places().front());
  if (const auto share = lost_share(why); share && std::abs(*share) > 0.5) {
    out += *share > 0 && std::round(100 * *share) <= 100
               ? ", " + percent_text(*share) + " not in map"
               : ", biases outweigh it";
  }
  return out;
}

/// What lies under the map.
Image undrawn(Image backdrop, const FinalMap& map) {
  return map.slices() ? map.slices()->sheet(backdrop) : backdrop;
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
  row["target"] = prediction_json(explained(why), labels);
  row["score"] = shortest(static_cast<float>(why.score));
  row["grid"] = why.feature_map.shape;
  if (why.sum_rule) row["sum_rule"] = sum_rule_json(why);
  row["warnings"] = why.warnings;
  row["timings_ms"] = {{"backward", why.timings_ms.backward}, {"map", why.timings_ms.map}};
  return row;
}

/// Of each explanation, as a warning calls it: the method, and what else tells it from the others.
std::vector<std::string> names_of(const Session& session, const Answer& answered) {
  const auto& targets = session.request.targets;
  const auto per_target = answered.explanations.size() / targets.size();
  std::vector<std::string> out;
  for (std::size_t i = 0; i < answered.explanations.size(); ++i) {
    const auto& why = answered.explanations[i];
    auto name = why.method;
    if (answered.request.layers.size() > 1) name += ", " + why.layer;
    if (targets.size() > 1)
      name += ", " + target_text(why, targets[i / per_target], session.labels);
    out.push_back(std::move(name));
  }
  return out;
}

/// A row for each target and layer: what is explained, then a map by each method.
std::vector<std::vector<SheetCell>> cells(Session& session, const Answer& answered) {
  const auto& request = session.request;
  const auto& layers = answered.request.layers;
  const auto methods = answered.request.methods.size();
  const OverlayOptions colours{request.alpha, request.colormap};
  std::vector<std::vector<SheetCell>> rows;
  for (std::size_t i = 0; i < answered.explanations.size(); ++i) {
    const auto& why = answered.explanations[i];
    FinalMap map(session, why, why.normalize == Normalize::none ? Normalize::max : why.normalize);
    map.show_one_slice();
    if (i % methods == 0) {
      const auto row = i / methods, count = std::max<std::size_t>(layers.size(), 1);
      const auto layer = layers.size() > 1 ? ", " + layers[row % count] : std::string();
      rows.push_back({{target_text(why, request.targets[row / count], session.labels) + layer,
                       undrawn(backdrop(session, map, 0, false), map)}});
    }
    rows.back().push_back(
        {sheet_caption(why, map), map.overlay(backdrop(session, map, 0, false), colours)});
    if (i % methods == methods - 1) wrap(rows);
  }
  return rows;
}

}  // namespace

namespace {

void explain_photo(Session& session, const Prepared& prepared, const ExplainOutputs& names,
                   Digests& digests, Photos& photos) {
  const auto& explainer = prepared.explainer;
  if (!names.no_provenance) start_digests(session, digests);
  std::optional<LongCall> call;  // one at a time
  const auto answered = answer(session, prepared, [&](const Method& method) {
    call.reset();
    return call.emplace(method.name).options();
  });
  call.reset();

  auto listed = Json::array();
  for (const auto& why : answered.explanations) listed.push_back(row_json(why, session.labels));
  std::vector<std::vector<SheetCell>> rows;
  if (!names.output.empty()) rows = cells(session, answered);
  Json provenance;
  if (!names.no_provenance) provenance = provenance_json(answered.request, digests);
  OutputFiles outputs;
  if (!names.output.empty()) {
    const auto sheet = timed(session.times.render, [&] { return contact_sheet(rows); });
    EncodeOptions options;
    if (!provenance.is_null() && lower(picture_extension(names.output)) == ".png")
      options.texts = sheet_texts(provenance);
    outputs.add(names.output, timed(session.times.encode, [&] {
                  return encode_image(sheet, picture_extension(names.output), options);
                }));
  }
  for (auto& warning : merged_warnings(answered.explanations, names_of(session, answered)))
    session.warnings.push_back(std::move(warning));
  auto document = run_json(session, explainer);
  document["explanations"] = std::move(listed);
  document["timings_ms"] = timings_json(session.times);
  document["warnings"] = session.warnings;
  if (!provenance.is_null()) document["provenance"] = std::move(provenance);
  photos.add_json(outputs, names.json, document);
  outputs.write();
  std::string text = photos.heading(session) + "methods      " +
                     std::to_string(prepared.methods.size()) + "\n" + "time         " +
                     timings_text(session.times) + "\n";
  for (const auto& file : outputs.names()) text += "wrote        " + file + "\n";
  outputs.tell(text);
  if (names.json != "-") print_warnings(session.warnings);
}

}  // namespace

void explain_sheet(Asked asked, const ExplainOutputs& given, const Replay* replay,
                   Digests& digests) {
  check(asked.request, given);
  if (replay != nullptr) replay->check_files(asked.request, digests);
  Photos photos(asked.photos, given.json);
  auto session = photos.open(asked, true);
  if (replay != nullptr) replay->check_session(session, digests);
  if (!given.no_provenance) start_digests(session, digests);
  const auto prepared = prepare(session, {}, asked.plan_cache);
  photos.each(session, [&](const std::string& name) {
    explain_photo(session, prepared, named(given, name), digests, photos);
  });
}

}  // namespace fovea::cli
