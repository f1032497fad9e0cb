#include "bench/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

namespace fovea::cli {
namespace {

double percentile(const std::vector<double>& sorted, std::size_t percent) {
  const std::size_t rank = (percent * sorted.size() + 99) / 100;  // from 1
  return sorted[rank - 1];
}

Statistics figures(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  Statistics out;
  out.runs = values.size();
  const auto n = static_cast<double>(out.runs);
  out.min = values.front();
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  out.p50 = percentile(values, 50);
  out.p90 = percentile(values, 90);
  out.p95 = percentile(values, 95);
  if (out.runs >= kRunsForP99) out.p99 = percentile(values, 99);
  out.max = values.back();
  double squares = 0;
  for (const double v : values) squares += (v - out.mean) * (v - out.mean);
  if (out.runs > 1) out.deviation = std::sqrt(squares / (n - 1));
  return out;
}

std::map<std::string, double> by_name(const Statistics& s) {
  return {{"min", s.min}, {"mean", s.mean},          {"p50", s.p50}, {"p90", s.p90}, {"p95", s.p95},
          {"max", s.max}, {"deviation", s.deviation}};
}

}  // namespace

Statistics statistics(const std::vector<double>& values) {
  constexpr std::size_t kParts = 5;
  auto out = figures(values);
  const auto parts = std::min(kParts, values.size());
  const auto at = [&](std::size_t part) {
    return values.begin() + static_cast<std::ptrdiff_t>(values.size() * part / parts);
  };
  for (std::size_t part = 0; part < parts; ++part)
    for (const auto& [name, value] : by_name(figures({at(part), at(part + 1)}))) {
      const auto [it, is_first] = out.spread.try_emplace(name, Spread{value, value});
      it->second.least = std::min(it->second.least, value);
      it->second.largest = std::max(it->second.largest, value);
    }
  return out;
}

double median(std::vector<double> values) {
  return figures(std::move(values)).p50;
}

bool is_disturbed(const Statistics& statistics) {
  constexpr std::size_t kEnoughRuns = 10;
  constexpr double kFar = 1.5;  // clocks and caches alone do less
  return statistics.runs >= kEnoughRuns && statistics.p50 > kFar * statistics.min;
}

Json to_json(const Statistics& statistics) {
  Json json;
  json["min"] = rounded(statistics.min);
  json["mean"] = rounded(statistics.mean);
  json["p50"] = rounded(statistics.p50);
  json["p90"] = rounded(statistics.p90);
  json["p95"] = rounded(statistics.p95);
  json["p99"] = statistics.p99 ? Json(rounded(*statistics.p99)) : Json(nullptr);
  json["max"] = rounded(statistics.max);
  json["deviation"] = rounded(statistics.deviation);
  for (const auto& [name, spread] : statistics.spread)
    json["spread"][name] = {rounded(spread.least), rounded(spread.largest)};
  return json;
}

double rounded(double milliseconds) {
  return std::round(milliseconds * 1e4) / 1e4;
}

}  // namespace fovea::cli
