#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fovea/explanation.hpp"
#include "fovea/image.hpp"
#include "session.hpp"

/// What the program calls an explanation, beside others and on its pictures.
namespace fovea::cli {

/// What was explained: "goldfish (class 1)", "class 1 in the region", "class 1 - class 2", "like
/// b.png", with "against " in front. Of scores at positions, which are no classes', "the best
/// score", "score 2" by their rank.
std::string target_text(const Explanation& why, const RequestTarget& target, const Labels& labels);

/// The same with its probability, or of other targets its value, to be drawn.
std::string target_line(const Explanation& why, const RequestTarget& target, const Labels& labels);

/// Text that keeps its direction, and marks of direction in it, to itself where more stands beside
/// it.
std::string isolated(const std::string& text);

/// Class and probability (of other targets the value), method and layer, the map's lowest and
/// highest value, over the bar of `scale`.
Caption caption_of(const Explanation& why, const RequestTarget& target, const Labels& labels,
                   const std::optional<ColorScale>& scale);

/// The lowest and the highest finite value of the method's own map; 0 where it has none.
struct MapRange {
  double low = 0, high = 0;
};
MapRange range_of(const Explanation& why);

/// What they warn of, once each: as it is where all say it, else with the name in front.
/// One name each.
std::vector<std::string> merged_warnings(std::span<const Explanation> explanations,
                                         std::span<const std::string> names);

}  // namespace fovea::cli
