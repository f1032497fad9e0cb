#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fovea/session.hpp"

/// Captions that a session has written by a network that takes one word at a time, and those whose
/// words were given.
namespace fovea::request {

/// Finds out whether the request's task is for such a network, and gives its inputs what the first
/// step begins with; false where it is not. Throws Error invalid_argument as CaptionWriter::find.
bool start_writing(Session& session);

/// Writes the photo's caption, unless that is done, and puts the network of all of its words in the
/// step's place.
void write_caption(Session& session, const CallOptions& call);

/// Back to the step, for another photo.
void forget_caption(Session& session);

/// The tokens of a caption that was given, whichever way its network takes words; none where the
/// network writes.
std::optional<std::vector<std::int64_t>> given_tokens(const Session& session);

/// What a network says of given words: as many as there are, and its own in their place.
void find_given(Session& session, const std::vector<std::int64_t>& tokens);

}  // namespace fovea::request
