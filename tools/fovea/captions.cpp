#include "captions.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "json_output.hpp"

namespace fovea::cli {
namespace {

constexpr std::string_view kIsolate = "\xE2\x81\xA8";     // U+2068, as its first letter runs
constexpr std::string_view kEndIsolate = "\xE2\x81\xA9";  // U+2069

// U+202A to U+202E and U+2066 to U+2069, in three bytes each.
bool is_direction_mark(std::string_view three) {
  if (three.size() < 3 || three[0] != '\xE2') return false;
  const auto last = static_cast<unsigned char>(three[2]);
  return (three[1] == '\x80' && last >= 0xAA && last <= 0xAE) ||
         (three[1] == '\x81' && last >= 0xA6 && last <= 0xA9);
}

std::string layer_text(const Explanation& why) {
  if (!why.layers.empty()) return count_text(static_cast<std::int64_t>(why.layers.size()), "layer");
  return why.layer;
}

}  // namespace

std::string target_text(const Explanation& why, const RequestTarget& target, const Labels& labels) {
  const std::string against = target.negated ? "against " : "";
  if (target.kind == RequestTarget::Kind::similar_to)
    return against + "like " + std::filesystem::path(target.image.file).filename().string();
  if (target.kind == RequestTarget::Kind::text) return against + target.text;
  if (target.region) return against + class_text(target.value, labels) + " in the region";
  if (target.minus)
    return class_text(target.value, labels) + " - " + class_text(*target.minus, labels);
  if (why.prediction) return against + class_text(why.prediction->class_index, labels);
  return against +
         (target.value == 0 ? "the best score" : "score " + std::to_string(target.value + 1));
}

std::string target_line(const Explanation& why, const RequestTarget& target, const Labels& labels) {
  const auto text = isolated(target_text(why, target, labels));
  if (why.prediction && !std::isnan(why.prediction->probability))
    return text + number_text(", probability %.4f", why.prediction->probability);
  return text + number_text(", score %.4g", why.score);
}

std::string isolated(const std::string& text) {
  std::string out(kIsolate);
  for (std::size_t i = 0; i < text.size();) {
    if (is_direction_mark(std::string_view(text).substr(i, 3))) {
      i += 3;
      continue;
    }
    out.push_back(text[i++]);
  }
  return out.append(kEndIsolate);
}

MapRange range_of(const Explanation& why) {
  MapRange out;
  bool any = false;
  for (const float v : why.feature_map.data) {
    if (!std::isfinite(v)) continue;
    out.low = any ? std::min<double>(out.low, v) : v;
    out.high = any ? std::max<double>(out.high, v) : v;
    any = true;
  }
  return out;
}

Caption caption_of(const Explanation& why, const RequestTarget& target, const Labels& labels,
                   const std::optional<ColorScale>& scale) {
  Caption out{scale, {target_line(why, target, labels)}};
  out.lines.push_back(why.method + (why.layer.empty() ? "" : " at " + isolated(layer_text(why))));
  const auto [low, high] = range_of(why);
  out.lines.push_back(number_text("minimum %.3g", low) + number_text(", maximum %.3g", high));
  return out;
}

std::vector<std::string> merged_warnings(std::span<const Explanation> explanations,
                                         std::span<const std::string> names) {
  std::vector<std::string> out;
  std::set<std::string> told;
  const auto tell = [&](std::string text) {
    if (told.insert(text).second) out.push_back(std::move(text));
  };
  for (std::size_t i = 0; i < explanations.size(); ++i)
    for (const auto& warning : explanations[i].warnings) {
      const bool by_all =
          std::all_of(explanations.begin(), explanations.end(), [&](const Explanation& why) {
            return std::find(why.warnings.begin(), why.warnings.end(), warning) !=
                   why.warnings.end();
          });
      tell(by_all ? warning : names[i] + ": " + warning);
    }
  return out;
}

}  // namespace fovea::cli
