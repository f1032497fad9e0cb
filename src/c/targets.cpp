#include <algorithm>
#include <set>
#include <utility>

#include "c/guard.hpp"
#include "c/options.hpp"
#include "fovea/asking.hpp"
#include "fovea/target_text.hpp"

namespace fovea::c {
namespace {

void require_no_words(const TargetText& text) {
  if (!text.has_words()) return;
  std::string known;
  for (const auto& word : {"top:1", "class:281", "class:281-class:282"})
    known += (known.empty() ? "" : ", ") + std::string(word);
  refuse("the target '" + to_text(text) + "' is in words that need labels or a task: here are " +
         known + " and numbers of named values");
}

}  // namespace

void prepare_targets(const Model& model, ExplainerOptions& options,
                     const std::vector<std::string>& texts, const CallOptions& call) {
  std::vector<TargetText> of_values;
  for (const auto& asked : texts) {
    auto text = parse_target(asked);
    if (class_target(text)) continue;
    require_no_words(text);
    of_values.push_back(std::move(text));
  }
  if (of_values.empty()) return;
  auto& prepare = options.prepare;
  if (of_values.size() < texts.size()) prepare.target_values.emplace_back();
  std::set<std::string> known;
  for (const auto& text : of_values)
    for (auto& name : text.values())
      if (known.insert(name).second) prepare.target_values.push_back(std::move(name));
  // What the values' extents are, a plan says; this one is thrown away.
  const auto values = Explainer(model, bare_options(options), call).target_values();
  for (const auto& text : of_values) prepare.targets.push_back(target_of(text, values));
}

std::vector<Target> targets_of(const std::vector<std::string>& texts, const Explainer& explainer,
                               const std::string& method, const fovea_explain_options& options) {
  if (options.score < FOVEA_SCORE_BY_METHOD || options.score > FOVEA_SCORE_PROBABILITY)
    refuse("score is " + std::to_string(options.score) + ", and 0 to 2 exist");
  std::vector<Target> out;
  for (const auto& asked : texts) {
    const auto text = parse_target(asked);
    auto target = class_target(text);
    if (!target) {
      require_no_words(text);
      target = target_of(text, explainer.target_values());
    }
    const bool of_one_class =
        target->as<Target::Class>() != nullptr || target->as<Target::Ranked>() != nullptr;
    if (options.score == FOVEA_SCORE_PROBABILITY && !of_one_class)
      refuse("the target '" + asked + "' has no probability: only one class has");
    target->probability = options.score == FOVEA_SCORE_PROBABILITY ||
                          (options.score == FOVEA_SCORE_BY_METHOD && of_one_class &&
                           explains_probability(method, explainer));
    target->negated = options.negated != 0;
    out.push_back(*std::move(target));
  }
  return out;
}

}  // namespace fovea::c
