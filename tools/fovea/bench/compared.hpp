#pragma once

#include <string>
#include <vector>

#include "json_output.hpp"

/// A report of `fovea bench` beside an earlier one.
namespace fovea::cli {

/// The JSON of an earlier measurement. Throws Error bad_input where the file holds something else.
Json read_report(const std::string& file);

/// Throws Error invalid_argument, naming what differs, where the figures of the two would not be of
/// the same work on the same CPU. Of `now`, what is not known yet may be left out.
void require_comparable(const Json& before, const Json& now, const std::string& file);

/// {with, differs: {name: [before, now]}, figures: [{figure, before, now, ratio, before_spread,
/// now_spread}]}: the figures that both have, by their place in the report ("explain_ms.p50"). A
/// spread is null where a figure was measured once.
Json compared(const Json& before, const Json& now, const std::string& file);

std::string compared_text(const Json& compared);

}  // namespace fovea::cli
