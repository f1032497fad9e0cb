#include "evidence.hpp"

#include <algorithm>

#include "json_output.hpp"

namespace fovea::cli {
namespace {

/// Other methods that are worth a try, which do not take the same way.
std::string others(const std::string& method) {
  std::string out;
  for (const auto* name : {"layercam", "occlusion"})
    if (name != method) out += (out.empty() ? "" : " or ") + std::string(name);
  return out;
}

}  // namespace

bool shows_nothing(const Explanation& why) {
  const auto& map = why.feature_map.data;
  return std::none_of(map.begin(), map.end(), [](float v) { return v > 0; });
}

std::string nothing_text(const Explanation& why, const Labels& labels) {
  const auto& map = why.feature_map.data;
  const auto target =
      why.prediction ? class_text(why.prediction->class_index, labels) : std::string("the target");
  if (std::any_of(map.begin(), map.end(), [](float v) { return v < 0; }))
    return why.method + " showed evidence against " + target +
           " only, and none for it: --keep-sign shows that too";
  return why.method + " showed no evidence for " + target + ": its map is zero everywhere. Try " +
         (method_info(why.method).kind == MapKind::layer ? "another --layer, or " : "") +
         "--method " + others(why.method);
}

}  // namespace fovea::cli
