#include "bench/compared.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "fovea/error.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

/// What has to be the same.
constexpr std::array kSame = {
    "cpu",    "model_sha256", "inputs", "images_sha256", "batch",
    "method", "layer",        "rate",   "threads",       "workers",
    "busy",   "precision",    "tune",   "optimize",      "plan_cache_given"};
/// What may be the reason for comparing, and is told.
constexpr std::array kTold = {"version", "onednn", "isa", "waiting", "wait_policy", "spin_count"};

constexpr std::array kMeasuredOnce = {
    "load_ms",  "create_ms", "create_cached_ms",     "first_ms",     "peak_mb",
    "added_mb", "ratio",     "predict_images_per_s", "images_per_s", "total_ms"};
constexpr std::array kSeries = {"predict_ms", "explain_ms"};
constexpr std::array kOfSeries = {"min", "mean", "p50", "p90", "p95", "p99", "max", "deviation"};

std::string shown(const Json& value) {
  return value.is_string() ? "'" + value.get<std::string>() + "'" : value.dump();
}

std::optional<double> figure(const Json& report, const char* name) {
  const auto it = report.find(name);
  if (it == report.end() || !it->is_number()) return std::nullopt;
  return it->get<double>();
}

Json spread_of(const Json& series, const char* name) {
  const auto spread = series.find("spread");
  if (spread == series.end() || !spread->is_object()) return nullptr;
  return spread->value(name, Json(nullptr));
}

void add_figure(Json& to, const std::string& name, std::optional<double> before,
                std::optional<double> now, const Json& before_spread, const Json& now_spread) {
  if (!before || !now) return;
  Json row;
  row["figure"] = name;
  row["before"] = *before;
  row["now"] = *now;
  row["ratio"] = *before > 0 ? Json(*now / *before) : Json(nullptr);
  row["before_spread"] = before_spread;
  row["now_spread"] = now_spread;
  to.push_back(std::move(row));
}

std::string with_spread(double value, const Json& spread) {
  auto out = number_text("%12.3f", value);
  const bool known =
      spread.is_array() && spread.size() == 2 && spread[0].is_number() && spread[1].is_number();
  if (known)
    out += number_text(" (%.3f-", spread[0].get<double>()) +
           number_text("%.3f)", spread[1].get<double>());
  constexpr std::size_t kWidth = 34;
  out.resize(std::max(kWidth, out.size()), ' ');
  return out;
}

}  // namespace

Json read_report(const std::string& file) {
  const auto text = read_text(file, ErrorCode::invalid_argument);
  auto out = Json::parse(text, nullptr, false);
  const auto is_series = [&](const char* name) {
    return out.contains(name) && out.at(name).is_object();
  };
  if (!out.is_object() || !std::all_of(kSeries.begin(), kSeries.end(), is_series))
    throw Error(ErrorCode::bad_input, "this is no JSON that 'fovea bench' wrote",
                {.file = file, .node = {}, .op = {}});
  return out;
}

void require_comparable(const Json& before, const Json& now, const std::string& file) {
  const auto refuse = [&](const std::string& sentence) {
    throw Error(ErrorCode::invalid_argument, "--compare: " + sentence,
                {.file = file, .node = {}, .op = {}});
  };
  for (const auto* name : kSame) {
    if (!now.contains(name)) continue;
    if (!before.contains(name))
      refuse("the measurement does not say '" + std::string(name) +
             "', which has to be the same: measure again");
    if (before.at(name) == now.at(name)) continue;
    if (std::string(name) == "model_sha256") refuse("it was of another model, by its SHA-256");
    if (std::string(name) == "images_sha256") refuse("it was of other inputs, by their SHA-256");
    refuse("'" + std::string(name) + "' was " + shown(before.at(name)) + " and is " +
           shown(now.at(name)));
  }
}

Json compared(const Json& before, const Json& now, const std::string& file) {
  require_comparable(before, now, file);
  Json out;
  out["with"] = file;
  out["differs"] = Json::object();
  for (const auto* name : kTold) {
    const auto was = before.value(name, Json(nullptr)), is = now.value(name, Json(nullptr));
    if (was != is) out["differs"][name] = {was, is};
  }
  auto& figures = out["figures"] = Json::array();
  for (const auto* name : kMeasuredOnce)
    add_figure(figures, name, figure(before, name), figure(now, name), nullptr, nullptr);
  for (const auto* series : kSeries) {
    const auto &was = before.at(series), &is = now.at(series);
    for (const auto* name : kOfSeries)
      add_figure(figures, std::string(series) + "." + name, figure(was, name), figure(is, name),
                 spread_of(was, name), spread_of(is, name));
  }
  return out;
}

std::string compared_text(const Json& compared) {
  std::string out = "\ncompared with " + compared.at("with").get<std::string>();
  for (const auto& [name, values] : compared.at("differs").items())
    out += "; " + name + " was " + shown(values[0]) + " and is " + shown(values[1]);
  out +=
      "\nfigure                       before (spread)                   now (spread)"
      "                      ratio\n";
  constexpr std::size_t kNameWidth = 22;
  for (const auto& row : compared.at("figures")) {
    auto name = row.at("figure").get<std::string>();
    name.resize(std::max(kNameWidth, name.size()), ' ');
    out += name + with_spread(row.at("before"), row.at("before_spread")) +
           with_spread(row.at("now"), row.at("now_spread")) +
           (row.at("ratio").is_null() ? "       -" : number_text("%8.3f", row.at("ratio"))) + "\n";
  }
  return out;
}

}  // namespace fovea::cli
