#pragma once

#include <span>
#include <string>
#include <vector>

#include "fovea/explanation.hpp"
#include "session.hpp"

/// What the program calls an explanation beside others.
namespace fovea::cli {

/// What was explained: "goldfish (class 1)", "class 1 in the region", "class 1 - class 2", "like
/// b.png", with "against " in front. Of scores at positions, which are no classes', "the best
/// score", "score 2" by their rank.
std::string target_text(const Explanation& why, const RequestTarget& target, const Labels& labels);

/// What they warn of, once each: as it is where all say it, else with the name in front.
/// One name each.
std::vector<std::string> merged_warnings(std::span<const Explanation> explanations,
                                         std::span<const std::string> names);

}  // namespace fovea::cli
