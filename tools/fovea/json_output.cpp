#include "json_output.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "machine.hpp"
#include "recipe.hpp"
#include "seen.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

using Stage = std::pair<const char*, double>;

std::array<Stage, 9> stages(const Stages& times) {
  return {{{"load", times.load},
           {"create", times.create},
           {"decode", times.decode},
           {"preprocess", times.preprocess},
           {"forward", times.forward},
           {"backward", times.backward},
           {"map", times.map},
           {"render", times.render},
           {"encode", times.encode}}};
}

}  // namespace

Prediction explained(const Explanation& why) {
  return why.prediction.value_or(
      Prediction{-1, static_cast<float>(why.score), std::numeric_limits<float>::quiet_NaN()});
}

std::optional<double> lost_share(const Explanation& why) {
  const auto& rule = why.sum_rule;
  if (!rule || (rule->biases == 0 && rule->stabilizers == 0) || rule->expected == 0)
    return std::nullopt;
  return (rule->biases + rule->stabilizers) / rule->expected;
}

Json sum_rule_json(const Explanation& why) {
  const auto& rule = *why.sum_rule;
  const auto lost = lost_share(why);
  return {{"expected", rule.expected},
          {"attributed", rule.attributed},
          {"biases", rule.biases},
          {"stabilizers", rule.stabilizers},
          {"lost_share", lost ? Json(*lost) : Json(nullptr)},
          {"error", rule.error}};
}

Json prediction_json(const Prediction& prediction, const Labels& labels) {
  const auto index = static_cast<std::size_t>(prediction.class_index);
  Json row;
  row["class"] = prediction.class_index;
  row["label"] = index < labels.size() ? Json(labels[index]) : Json(nullptr);
  row["logit"] = shortest(prediction.logit);
  row["probability"] =
      std::isnan(prediction.probability) ? Json(nullptr) : Json(shortest(prediction.probability));
  return row;
}

Json predictions_json(const std::vector<Prediction>& predictions, const Labels& labels,
                      std::size_t count) {
  auto rows = Json::array();
  for (std::size_t i = 0; i < predictions.size() && i < count; ++i)
    rows.push_back(prediction_json(predictions[i], labels));
  return rows;
}

Json run_json(const Session& session, const Explainer& explainer) {
  Json json;
  json["model"] = session.request.model.file;
  if (session.photo) {
    json["image"] = session.photo->file;
    json["preprocess"] = to_json(session.photo->recipe);
    const auto& pixels = session.photo->pixels;
    json["seen"] = seen_json(*session.photo);
    json["decoded"] = {pixels.image.height, pixels.image.width};
  }
  for (const auto& [name, file] : session.request.inputs) json["inputs"][name] = file.file;
  json["precision"] = precision_text(explainer.precision());
  json["threads"] = explainer.threads();
  json["waiting"] = waiting_text(session.options.pool.waiting);
  return json;
}

Json timings_json(const Stages& times) {
  Json json;
  for (const auto& [name, value] : stages(times)) json[name] = std::round(value * 1000) / 1000;
  return json;
}

std::string json_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json ranges_json(const std::vector<AxisRange>& ranges) {
  auto out = Json::array();
  for (const auto& [begin, end] : ranges) out.push_back({begin, end});
  return out;
}

std::string class_text(std::int64_t index, const Labels& labels) {
  const auto number = "class " + std::to_string(index);
  const auto i = static_cast<std::size_t>(index);
  return i < labels.size() && !labels[i].empty() ? labels[i] + " (" + number + ")" : number;
}

std::string timings_text(const Stages& times) {
  std::string out;
  for (const auto& [name, value] : stages(times))
    if (value > 0)
      out += (out.empty() ? "" : ", ") + std::string(name) + number_text(" %.1f", value);
  return out + " ms";
}

std::string precision_text(Precision precision) {
  return precision == Precision::bf16 ? "bf16" : "f32";
}

std::string count_text(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string percent_text(double share) {
  return number_text("%.0f %%", std::round(100 * share) + 0.0);
}

std::string number_text(const char* format, double value) {
  char buffer[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  std::snprintf(buffer, sizeof buffer, format, value);
#pragma GCC diagnostic pop
  return buffer;
}

void print_warnings(const std::vector<std::string>& warnings) {
  for (const auto& warning : warnings)
    std::fprintf(stderr, "fovea: warning: %s\n", warning.c_str());
}

}  // namespace fovea::cli
