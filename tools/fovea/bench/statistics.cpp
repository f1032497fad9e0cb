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

}  // namespace

Statistics statistics(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  Statistics out;
  out.runs = values.size();
  out.min = values.front();
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(out.runs);
  out.p50 = percentile(values, 50);
  out.p90 = percentile(values, 90);
  out.p95 = percentile(values, 95);
  if (out.runs >= kRunsForP99) out.p99 = percentile(values, 99);
  return out;
}

double median(std::vector<double> values) {
  return statistics(std::move(values)).p50;
}

Json to_json(const Statistics& statistics) {
  Json json;
  json["min"] = rounded(statistics.min);
  json["mean"] = rounded(statistics.mean);
  json["p50"] = rounded(statistics.p50);
  json["p90"] = rounded(statistics.p90);
  json["p95"] = rounded(statistics.p95);
  json["p99"] = statistics.p99 ? Json(rounded(*statistics.p99)) : Json(nullptr);
  return json;
}

double rounded(double milliseconds) {
  return std::round(milliseconds * 1e4) / 1e4;
}

}  // namespace fovea::cli
