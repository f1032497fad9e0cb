#pragma once

#include <optional>
#include <string>

#include "json_output.hpp"
#include "session.hpp"

/// What a network says in its task's terms, as it is told.
namespace fovea::cli {

/// The edges of a box in the photo's pixels, or in those of the input where a tensor was given.
struct Place {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};
Place place_of(const Detection& found, const Session& session);

/// Adds "boxes", "segments", "text", "answers", "actions", "caption": those that the task is about.
/// Places are in the photo's pixels, of a tensor in the input's.
void add_findings(Json& json, const Session& session);

/// The same for a person, a line each; empty without a task.
std::string findings_text(const Session& session);

/// What the network said, of a target that is one of its task's words: a caption's word, a
/// character, a box's class, an answer, an action. None of other targets.
std::optional<std::string> said_at(const Session& session, const RequestTarget& target);
/// All that it said, where that is a sentence or a text; else empty.
std::string sentence(const Session& session);

/// Of a detection in a photo's pixels: x0, y0, x1, y1.
Json place_json(const Detection& found, const Session& session);

}  // namespace fovea::cli
