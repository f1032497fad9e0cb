#include "api/map_warnings.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace fovea::api {
namespace {

constexpr const char* kElementwise = "hirescam";

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

/// A layer in front of the explanation's, of which the target sees more positions, the nearest;
/// empty where there is none.
std::string wider_layer(const Explanation& of, const Explained& how) {
  const auto& layers = how.explainer.layers;
  std::vector<std::vector<AxisRange>> fields(layers.size());
  if (how.explainer.fields && !of.receptive_field.empty())
    fields = how.explainer.fields->of(layers, of.target, how.class_index, of.image);
  const auto own = std::max<std::int64_t>(positions_in(of.receptive_field), 1);
  std::int64_t grid = 1;
  for (const auto extent : of.feature_map.shape) grid *= extent;
  std::string out;
  for (std::size_t i = 0; i < layers.size() && layers[i].name != of.layer; ++i) {
    std::int64_t positions = 1;
    for (const auto extent : layers[i].grid) positions *= extent;
    if (of.receptive_field.empty() ? positions > grid : positions_in(fields[i]) > own)
      out = layers[i].name;
  }
  return out;
}

/// What to try where a map of a layer shows nothing.
std::string remedies(const Explanation& of, const Explained& how) {
  if (how.method.kind != MapKind::layer || of.layers.size() > 1) return "";
  std::vector<std::string> out;
  if (of.target.as<Target::Similarity>() != nullptr)
    out.emplace_back(
        "the dot product with the other point in place of the cosine, whose gradient is at right "
        "angles to the point");
  if (how.method.name != kElementwise)
    out.emplace_back("HiResCAM (--method hirescam), which does not average over positions");
  if (const auto layer = wider_layer(of, how); !layer.empty())
    out.push_back("the layer '" + layer + "' (--layer)");
  std::string text;
  for (std::size_t i = 0; i < out.size(); ++i)
    text += (i == 0 ? "; try " : i + 1 == out.size() ? ", or " : ", ") + out[i];
  return text;
}

void warn_of_field(Explanation& out, const Explained& how) {
  if (!how.reads_gradient || positions_in(out.receptive_field) != 1) return;
  const auto& grid = out.feature_map.shape;
  if (std::all_of(grid.begin(), grid.end(), [](auto extent) { return extent == 1; })) return;
  const auto layer = wider_layer(out, how);
  out.warnings.push_back("the target depends on one position of the layer alone, " +
                         in_words(out.receptive_field) + " of " + base::text(grid) +
                         ": the gradient there says nothing of what lies around it; take a layer "
                         "in front (--layer" +
                         (layer.empty() ? ")" : " '" + layer + "')"));
}

void warn_of_image(Explanation& out, const Explained& how) {
  if (how.method.kind != MapKind::layer) return;
  for (const auto* layer : how.layers)
    if (!layer->other_image.empty())
      out.warnings.push_back("the layer '" + layer->name + "' sees nothing of '" +
                             how.explainer.input_layer.name + "', but of '" + layer->other_image +
                             "': its map is about that, and is no overlay of the other");
}

}  // namespace

void warn_of_map(Explanation& out, const Explained& how) {
  const auto& map = out.feature_map.data;
  if (std::any_of(map.begin(), map.end(), [](float v) { return std::isnan(v); })) {
    out.warnings.emplace_back("the map holds values that are not a number");
  } else if (std::all_of(map.begin(), map.end(), [](float v) { return v <= 0; })) {
    const bool zero = std::all_of(map.begin(), map.end(), [](float v) { return v == 0; });
    const std::string said =
        !zero         ? "nothing in the map speaks for the target: no value is above 0"
        : how.clipped ? "the map is zero everywhere: all of it speaks against the target, which "
                        "keep_sign (--keep-sign) shows"
                      : "the map is zero everywhere: it shows nothing for the target";
    out.warnings.push_back(said + remedies(out, how));
  }
  warn_of_field(out, how);
  warn_of_image(out, how);
  if (out.sum_rule) warn_of_lost(*out.sum_rule, out.warnings);
}

}  // namespace fovea::api
