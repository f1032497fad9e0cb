#include "api/map_warnings.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

namespace fovea::api {
namespace {

std::string number_text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.3g", value);
  return buffer;
}

/// Those of the two without which the share would be another one.
std::string takers(const SumRule& rule) {
  const double least = std::abs(rule.biases + rule.stabilizers) / 100;
  if (std::abs(rule.stabilizers) < least) return "biases";
  return std::abs(rule.biases) < least ? "stabilizers" : "biases and stabilizers";
}

void warn_of_lost(const SumRule& rule, std::vector<std::string>& warnings) {
  const double lost = rule.biases + rule.stabilizers, share = lost / rule.expected;
  if (!std::isfinite(share) || std::abs(share) <= 0.5) return;
  const auto percent = std::llround(100 * share);
  // A percentage of what the two sides nearly cancel to says nothing.
  if (share > 0 && percent <= 100)
    warnings.push_back(takers(rule) + " took " + std::to_string(percent) +
                       " % of the score: the map shows what is left of it");
  else
    warnings.push_back(takers(rule) + " outweigh the score: they took " + number_text(lost) +
                       " of " + number_text(rule.expected) + ", and the map adds up to " +
                       number_text(rule.attributed));
}

}  // namespace

void warn_of_map(Explanation& out) {
  const auto& map = out.feature_map.data;
  if (std::any_of(map.begin(), map.end(), [](float v) { return std::isnan(v); })) {
    out.warnings.emplace_back("the map holds values that are not a number");
  } else if (std::all_of(map.begin(), map.end(), [](float v) { return v <= 0; })) {
    const bool zero = std::all_of(map.begin(), map.end(), [](float v) { return v == 0; });
    out.warnings.emplace_back(
        zero ? "the map is zero everywhere: it shows nothing for the target"
             : "nothing in the map speaks for the target: no value is above 0");
  }
  if (out.sum_rule) warn_of_lost(*out.sum_rule, out.warnings);
}

}  // namespace fovea::api
