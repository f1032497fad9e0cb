#include "captions.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "json_output.hpp"

namespace fovea::cli {

std::string target_text(const Explanation& why, const RequestTarget& target, const Labels& labels) {
  const std::string against = target.negated ? "against " : "";
  if (target.kind == RequestTarget::Kind::similar_to)
    return against + "like " + std::filesystem::path(target.image.file).filename().string();
  if (target.region) return against + class_text(target.value, labels) + " in the region";
  if (target.minus)
    return class_text(target.value, labels) + " - " + class_text(*target.minus, labels);
  if (why.prediction) return against + class_text(why.prediction->class_index, labels);
  return against +
         (target.value == 0 ? "the best score" : "score " + std::to_string(target.value + 1));
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
