#include "results.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "evidence.hpp"
#include "findings.hpp"
#include "fovea/target_text.hpp"
#include "recipe.hpp"
#include "seen.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr std::int64_t kListed = 5;

std::string normalize_text(Normalize how) {
  if (how == Normalize::none) return "none";
  return how == Normalize::minmax ? "minmax" : "max";
}

Json map_json(const Result& result) {
  return {{"shape", result.shape},
          {"grid", result.why->feature_map.shape},
          {"max_at", result.max_at ? Json(*result.max_at) : Json(nullptr)}};
}

/// That "box:2" is of; null where the target is none.
const Detection* detection_of(const Session& session, const RequestTarget& asked) {
  if (!session.found) return nullptr;
  const auto text = parse_target(asked.text);
  const auto* word = text.word();
  if (word == nullptr || word->kind != "box" || !word->argument) return nullptr;
  const auto index = std::strtoul(word->argument->c_str(), nullptr, 10);
  return index < session.found->boxes.size() ? &session.found->boxes[index] : nullptr;
}

Json box_json(const Result& result, float share) {
  if (!result.box) return nullptr;
  const auto& [x, y, width, height] = *result.box;
  Json out = {{"x", x}, {"y", y}, {"width", width}, {"height", height}, {"share", shortest(share)}};
  if (!result.at_frame.empty()) out["at_frame"] = result.at_frame;
  return out;
}

std::string box_text(const Result& result) {
  const auto& box = *result.box;
  auto out = std::to_string(box.width) + " x " + std::to_string(box.height) + " from column " +
             std::to_string(box.x) + ", row " + std::to_string(box.y);
  if (result.at_frame.size() == 4) return out + "; that is all that the network saw";
  if (!result.at_frame.empty())
    out += "; on the " + joined(result.at_frame, " and ") +
           " it ends with what the network saw, and the thing may go on";
  return out;
}

std::string drawn_text(const Drawn& drawn, double percentile) {
  std::string out;
  if (drawn.full_at)
    out += "colours      full at " + number_text("%.4g", *drawn.full_at) + ", which " +
           number_text("%.3g", 100 - percentile) + " % of the values exceed" +
           (drawn.is_signed ? "; red for, blue against" : "") + "\n";
  if (drawn.times > 1)
    out += "pictures     " + std::to_string(drawn.times) + " pixels for one, each way\n";
  if (drawn.slices) out += "slices       " + drawn.slices->text() + "\n";
  return out;
}

/// What the target can depend on, where that is less than all of the layer.
std::string field_text(const Explanation& why) {
  const auto& field = why.receptive_field;
  const auto& grid = why.feature_map.shape;
  bool all = true;
  for (std::size_t d = 0; d < field.size(); ++d)
    all = all && field[d].begin == 0 && field[d].end == grid[d];
  if (all) return "";
  std::string out;
  for (std::size_t d = 0; d < field.size(); ++d) {
    const auto first = field[d].begin, last = field[d].end - 1;
    const std::string axis = field.size() != 2 ? "" : d == 0 ? "row" : "column";
    out += (d == 0 ? "" : ", ") + axis + (last > first && !axis.empty() ? "s" : "") +
           (axis.empty() ? "" : " ") + std::to_string(first) +
           (last > first ? " to " + std::to_string(last) : "");
  }
  return "depends on   " + out + " of the layer's " + shape_text(grid) + "\n";
}

/// How much of the score lies in the map, and where the rest is.
std::string sum_rule_text(const Explanation& why) {
  const auto& rule = *why.sum_rule;
  // A percentage of next to nothing says no more than the numbers.
  constexpr double kMost = 10;
  const auto part = [&](double value, const char* to) {
    const double share = value / rule.expected;
    const auto text = number_text("%.4g", value + 0.0) + to;
    return std::abs(share) <= kMost ? text + " (" + percent_text(share) + "), " : text + ", ";
  };
  auto out = number_text("%.4g", rule.attributed) + " of " + number_text("%.4g", rule.expected) +
             " lies in the map, ";
  if (lost_share(why))
    out += part(rule.biases, " went to biases") + part(rule.stabilizers, " to stabilizers");
  return out + number_text("%.2g", 100 * rule.error) + " % is unexplained";
}

Json target_of(const Session& session, const Result& result) {
  return target_json(session, session.request.targets.at(result.target), *result.why);
}

}  // namespace

Json target_json(const Session& session, const RequestTarget& asked, const Explanation& why) {
  if (asked.kind != RequestTarget::Kind::text)
    return prediction_json(explained(why), session.labels);
  Json out = {{"text", asked.text}};
  if (const auto* found = detection_of(session, asked)) {
    out["label"] = name_of(*session.task, found->class_index);
    out["box"] = place_json(*found, session);
  }
  return out;
}

std::string Results::suffix(std::int64_t image, std::int64_t target) const {
  std::string out;
  if (images > 1) out = std::to_string(image + 1);
  if (targets > 1) out += (out.empty() ? "" : "-") + std::to_string(target + 1);
  return out;
}

void add_drawn(Json& row, const Drawn& drawn, double percentile) {
  if (drawn.full_at)
    row["colors"] = {{"full_at", shortest(*drawn.full_at)},
                     {"percentile", percentile},
                     {"signed", drawn.is_signed}};
  if (drawn.times > 1) row["enlarged"] = drawn.times;
  if (drawn.slices) row["slices"] = drawn.slices->places();
}

Json result_json(const Session& session, const Explainer& explainer, const Results& results) {
  const bool with_examples = session.request.examples.has_value();
  if (results.rows.empty()) {
    auto nothing = run_json(session, explainer);
    add_findings(nothing, session);
    nothing["images"] = Json::array({{{"explanations", Json::array()}}});
    nothing["timings_ms"] = timings_json(session.times);
    nothing["warnings"] = session.warnings;
    return nothing;
  }
  const auto listed = static_cast<std::size_t>(std::max(kListed, results.targets));
  const auto& first = results.rows.front();
  auto json = run_json(session, explainer);
  json["method"] = first.why->method;
  json["layer"] = first.why->layer;
  json["normalize"] = normalize_text(first.why->normalize);
  json["target"] = target_of(session, first);
  json["score"] = shortest(static_cast<float>(first.why->score));
  if (!first.why->layers.empty()) json["layers"] = first.why->layers;
  json["map"] = map_json(first);
  if (results.box_share) json["box"] = box_json(first, *results.box_share);
  add_reason(json, first.reason, with_examples);
  json["predictions"] = predictions_json(first.why->predictions, session.labels, listed);
  add_findings(json, session);
  auto& images = json["images"] = Json::array();
  for (std::int64_t i = 0; i < results.images; ++i) {
    Json image;
    image["predictions"] =
        predictions_json(results.at(i, 0).why->predictions, session.labels, listed);
    auto& explanations = image["explanations"] = Json::array();
    for (std::int64_t t = 0; t < results.targets; ++t) {
      const auto& result = results.at(i, t);
      Json row;
      row["target"] = target_of(session, result);
      row["score"] = shortest(static_cast<float>(result.why->score));
      row["map"] = map_json(result);
      if (!result.why->receptive_field.empty())
        row["receptive_field"] = ranges_json(result.why->receptive_field);
      if (result.why->sum_rule) row["sum_rule"] = sum_rule_json(*result.why);
      if (results.box_share) row["box"] = box_json(result, *results.box_share);
      add_reason(row, result.reason, with_examples);
      if (result.drawn) add_drawn(row, *result.drawn, session.request.percentile);
      if (!result.overlay_file.empty()) row["overlay"] = result.overlay_file;
      if (!result.heatmap_file.empty()) row["heatmap"] = result.heatmap_file;
      explanations.push_back(std::move(row));
    }
    images.push_back(std::move(image));
  }
  json["timings_ms"] = timings_json(session.times);
  json["warnings"] = session.warnings;
  return json;
}

std::string result_text(const Session& session, const Explainer& explainer, const Results& results,
                        const std::vector<std::string>& files) {
  auto out = findings_text(session);
  if (!out.empty() && !results.rows.empty()) out += "\n";
  for (std::int64_t i = 0; i < results.images; ++i)
    for (std::int64_t t = 0; t < results.targets; ++t) {
      const auto& result = results.at(i, t);
      const auto& why = result.why;
      const auto& place = result.max_at;
      if (results.images > 1) out += "image        " + std::to_string(i + 1) + "\n";
      if (!why->prediction) {
        const auto& asked = session.request.targets.at(result.target);
        if (asked.kind == RequestTarget::Kind::text)
          out += "target       " + std::string(asked.negated ? "against " : "") + asked.text + "\n";
        out += "score        " + number_text("%.4g", why->score) + "\n";
      } else {
        out += "class        " + class_text(why->prediction->class_index, session.labels) + "\n";
        out += "probability  " + (std::isnan(why->prediction->probability)
                                      ? std::string("-")
                                      : number_text("%.4f", why->prediction->probability));
        out += number_text("   (logit %.4g)\n", why->prediction->logit);
      }
      out += "looked at    ";
      for (std::size_t d = 0; place && d < place->size(); ++d)
        out += (d == 0 ? "" : ", ") + std::to_string((*place)[d]);
      if (place && place->size() == 2) out += " (row, column)";
      out += place ? " of " + shape_text(result.shape) : nothing_text(*why, session.labels);
      out += "\n";
      out += field_text(*why);
      if (why->sum_rule) out += "sum rule     " + sum_rule_text(*why) + "\n";
      if (result.box) out += "box          " + box_text(result) + "\n";
      if (result.drawn) out += drawn_text(*result.drawn, session.request.percentile);
      out += reason_text(result.reason) + "\n";
    }
  if (!results.rows.empty()) {
    const auto& first = *results.rows.front().why;
    out += "method       " + first.method + "\n";
    out += "layer        " + first.layer + " (" + shape_text(first.feature_map.shape) + ")\n";
  }
  out += "precision    " + precision_text(explainer.precision()) + ", " +
         count_text(explainer.threads(), "thread") + "\n";
  if (session.photo)
    out += "preprocess   " + recipe_text(*session.photo) + "\nsaw          " +
           seen_text(*session.photo) + "\n";
  out += "time         " + timings_text(session.times) + "\n";
  for (const auto& file : files) out += "wrote        " + file + "\n";
  return out;
}

}  // namespace fovea::cli
