#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "fovea/localization.hpp"
#include "fovea/session.hpp"

/// What of a photo the network saw.
namespace fovea::cli {

/// "the middle 77 % of the photo (196 x 168 from column 22, row 12)", or "the whole photo".
std::string seen_text(const SessionPhoto& photo);

/// {x, y, width, height, share}.
nlohmann::ordered_json seen_json(const SessionPhoto& photo);

/// The sides ("left", "top", "right", "bottom") on which a box ends with what was seen, though the
/// photo goes on.
std::vector<std::string> sides_at_frame(const Box& box, const SessionPhoto& photo);

}  // namespace fovea::cli
