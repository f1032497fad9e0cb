#include "sheet.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "captions.hpp"
#include "drawn_map.hpp"
#include "evidence.hpp"
#include "findings.hpp"
#include "fovea/image.hpp"
#include "json_output.hpp"
#include "long_call.hpp"
#include "outputs.hpp"
#include "paged.hpp"
#include "photos.hpp"
#include "pictures.hpp"
#include "provenance.hpp"
#include "replay.hpp"
#include "results.hpp"
#include "seen.hpp"
#include "session.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr std::int64_t kSheetSlices = 5;

void check(const Request& request, const ExplainOutputs& names) {
  const auto refuse = [](const std::string& sentence) {
    throw Error(ErrorCode::invalid_argument, sentence);
  };
  if (names.output.empty() && names.json.empty() && names.html.empty())
    refuse("several methods make a sheet: say where with --output");
  const bool given = std::any_of(request.methods.begin(), request.methods.end(),
                                 [](const auto& method) { return !method.given.empty(); });
  if (!names.heatmap.empty() || !names.strip.empty() || !names.objects.empty() ||
      !names.spectrogram.empty() || !names.map.empty() || !names.feature_map.empty() ||
      request.box_share || given || request.words || request.examples)
    refuse(
        "--heatmap, --strip, --objects, --spectrogram, --map, --feature-map, --box, --given, "
        "--words and "
        "--examples are of one method");
}

/// What a map's reader must know of it beside the method.
std::string sheet_caption(const Explanation& why) {
  auto out = why.method;
  if (const auto share = lost_share(why); share && std::abs(*share) > 0.5) {
    out += *share > 0 && std::round(100 * *share) <= 100
               ? ", " + percent_text(*share) + " not in map"
               : ", biases outweigh it";
  }
  return out;
}

/// What stands in the panel of a map that shows nothing.
std::string sheet_note(const Explanation& why) {
  const auto& map = why.feature_map.data;
  const bool against = std::any_of(map.begin(), map.end(), [](float v) { return v < 0; });
  return against ? "nothing to show: all evidence is against it"
                 : "nothing to show: the map is zero everywhere";
}

constexpr int kPanel = 256, kMargin = 8;  // contact sheets' own

/// The last row in pieces that are as wide as the sheet, each below the photo's place.
void wrap(std::vector<std::vector<SheetCell>>& rows, std::int64_t sheet_width) {
  const auto columns = static_cast<std::size_t>(
      std::max<std::int64_t>(1, (sheet_width - kMargin) / (kPanel + kMargin)));
  const std::size_t maps = std::max<std::size_t>(1, columns - 1);
  const std::size_t places = columns > 1 ? 1 : 0;  // that stay empty below the photo
  auto all = std::move(rows.back());
  rows.pop_back();
  auto from = all.begin();
  for (bool first = true; from != all.end(); first = false) {
    auto& row = rows.emplace_back(first ? 0 : places);
    const auto most = static_cast<std::ptrdiff_t>(first ? columns : maps);
    const auto to = all.end() - from > most ? from + most : all.end();
    std::move(from, to, std::back_inserter(row));
    from = to;
  }
}

int panel_width(std::int64_t sheet_width) {
  return static_cast<int>(std::min<std::int64_t>(kPanel, sheet_width - std::int64_t{2} * kMargin));
}

Json row_json(const Session& session, const RequestTarget& target, const Explanation& why) {
  Json row;
  row["method"] = why.method;
  row["layer"] = why.layer;
  row["target"] = target_json(session, target, why);
  row["score"] = shortest(static_cast<float>(why.score));
  row["grid"] = why.feature_map.shape;
  if (!why.receptive_field.empty()) row["receptive_field"] = ranges_json(why.receptive_field);
  if (why.sum_rule) row["sum_rule"] = sum_rule_json(why);
  row["warnings"] = why.warnings;
  row["timings_ms"] = {{"backward", why.timings_ms.backward}, {"map", why.timings_ms.map}};
  return row;
}

/// Of each explanation, as a warning calls it: the method, and what else tells it from the others.
std::vector<std::string> names_of(const Session& session, const Answer& answered) {
  const auto& targets = session.request.targets;
  std::vector<std::string> out;
  if (targets.empty()) return out;
  const auto per_target = answered.explanations.size() / targets.size();
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

/// A volume's slices, the first under the caption as well.
std::vector<SheetCell> sliced(const DrawnMap& map, const std::string& caption, const Image& image) {
  auto out = map.slices()->cells(image);
  out.front().caption = caption + ": " + out.front().caption;
  return out;
}

struct Sheet {
  std::vector<std::vector<SheetCell>> rows;
  std::vector<Drawn> drawn;           // an entry for each explanation
  std::optional<std::string> slices;  // of volumes, and why these
};

/// A row for each target and layer: what is explained, then a map by each method. Of volumes a row
/// for each of these, with the same slices.
Sheet cells(Session& session, const Answer& answered, const std::string& rendering) {
  const auto& request = session.request;
  const auto& layers = answered.request.layers;
  const auto methods = answered.request.methods.size();
  std::optional<Slices> slices;
  Sheet out;
  auto& rows = out.rows;
  for (std::size_t i = 0; i < answered.explanations.size(); ++i) {
    const auto& why = answered.explanations[i];
    DrawnMap map(session, why, rendering);
    if (map.slices()) {
      if (!slices) {
        slices.emplace(map.shape(), first_maximum(why.map), kSheetSlices);
        out.slices = slices->text("the maximum of " + why.method);
      }
      map.show(*slices);
    }
    if (i % methods == 0) {
      const auto row = i / methods, count = std::max<std::size_t>(layers.size(), 1);
      const auto layer = layers.size() > 1 ? ", " + layers[row % count] : std::string();
      const auto text = target_line(why, request.targets[row / count], session.labels) + layer;
      auto image = map.plain(backdrop(session, map, 0, false));
      if (slices)
        rows.push_back(sliced(map, text, image));
      else
        rows.push_back({{text, std::move(image)}});
    }
    auto image = map.overlay(backdrop(session, map, 0, false));
    if (slices)
      rows.push_back(sliced(map, sheet_caption(why), image));
    else
      rows.back().push_back({sheet_caption(why), std::move(image)});
    auto& cell = slices ? rows.back().front() : rows.back().back();
    if (map.shows_something())
      cell.scale = map.scale();
    else
      cell.note = sheet_note(why);
    if (!slices && i % methods == methods - 1) wrap(rows, request.sheet_width);
    out.drawn.push_back({map.full_at(), map.is_signed(), map.times(), map.slices()});
  }
  return out;
}

std::string sheet_text(const Session& session, const Answer& answered, const Sheet& sheet) {
  auto out = "methods      " + std::to_string(answered.request.methods.size()) + "\n";
  for (const auto& why : answered.explanations)
    if (shows_nothing(why)) out += "nothing      " + nothing_text(why, session.labels) + "\n";
  if (sheet.slices) out += "slices       " + *sheet.slices + "\n";
  if (std::any_of(sheet.drawn.begin(), sheet.drawn.end(),
                  [](const Drawn& drawn) { return drawn.full_at.has_value(); }))
    out += "colours      of maps of pixels full at percentile " +
           number_text(session.request.percentile) + "; red for, blue against\n";
  if (session.photo) out += "saw          " + seen_text(*session.photo) + "\n";
  return out + "time         " + timings_text(session.times) + "\n";
}

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
  const auto& targets = session.request.targets;
  const auto& explanations = answered.explanations;
  for (std::size_t i = 0; i < explanations.size(); ++i)
    listed.push_back(
        row_json(session, targets[i / (explanations.size() / targets.size())], explanations[i]));
  Sheet drawn;
  const bool draws = !names.output.empty() && !explanations.empty();
  if (draws) drawn = cells(session, answered, names.rendering);
  for (std::size_t i = 0; i < drawn.drawn.size(); ++i)
    add_drawn(listed[i], drawn.drawn[i], session.request.percentile);
  Json provenance;
  if (!names.no_provenance) provenance = provenance_json(answered.request, digests);
  OutputFiles outputs;
  if (draws) {
    const auto sheet = timed(session.times.render, [&] {
      return draw_sheet(drawn.rows, panel_width(session.request.sheet_width));
    });
    session.warnings.insert(session.warnings.end(), sheet.warnings.begin(), sheet.warnings.end());
    EncodeOptions options;
    if (!provenance.is_null() && lower(picture_extension(names.output)) == ".png")
      options.texts = sheet_texts(provenance);
    outputs.add(names.output, timed(session.times.encode, [&] {
                  return encode_image(sheet.image, picture_extension(names.output), options);
                }));
  }
  for (auto& warning : merged_warnings(answered.explanations, names_of(session, answered)))
    session.warnings.push_back(std::move(warning));
  if (explanations.empty()) add_plain(session, names, outputs);
  if (!names.html.empty() && !explanations.empty())
    outputs.add(names.html, timed(session.times.render, [&] {
                  return answer_html(session, answered, names.rendering, provenance);
                }));
  auto document = run_json(session, explainer);
  add_findings(document, session);
  document["explanations"] = std::move(listed);
  document["timings_ms"] = timings_json(session.times);
  document["warnings"] = session.warnings;
  if (!provenance.is_null()) document["provenance"] = std::move(provenance);
  photos.add_json(outputs, names.json, document);
  outputs.write();
  auto text = photos.heading(session) + sheet_text(session, answered, drawn);
  for (const auto& file : outputs.names()) text += "wrote        " + file + "\n";
  outputs.tell(text);
  if (names.json != "-") print_warnings(photos.warnings(session));
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
  auto prepared = prepare(session, {}, asked.plan_cache);
  bool is_first = true;
  photos.each(session, [&](const std::string& name) {
    // What was found in one photo is not in the next.
    if (!std::exchange(is_first, false) && follows_photo(session))
      prepared = prepare(session, {}, asked.plan_cache);
    explain_photo(session, prepared, named(given, name), digests, photos);
  });
}

}  // namespace fovea::cli
