#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fovea/image.hpp"
#include "fovea/request.hpp"
#include "json_output.hpp"
#include "session.hpp"
#include "sha256.hpp"

/// What makes a result again: the request as it came out, with the SHA-256 of the bytes that went
/// in, and the versions that worked on them. It stands in the JSON under "provenance" and in PNGs
/// as the text "fovea"; docs/usage.md says what each member means.
namespace fovea::cli {

inline constexpr const char* kProvenanceKey = "fovea";

/// The model's external weights, where they lie.
std::vector<std::string> external_files(const Session& session);

/// Begins to take the SHA-256 of what the session reads.
void start_digests(const Session& session, Digests& digests);

/// The request's JSON, with every file's SHA-256 and the versions.
Json provenance_json(Request request, Digests& digests);

/// What a sheet's PNG carries.
std::vector<ImageText> sheet_texts(const Json& provenance);

/// What a PNG of all targets carries; `kind`: "strip" or "objects".
std::vector<ImageText> texts_of_all(Json provenance, const std::string& kind);

/// What a PNG carries: the provenance with the picture's own target alone, the one at `target`, and
/// which picture it is ("overlay" or "heatmap"; `image` counts from 0).
std::vector<ImageText> picture_texts(Json provenance, const std::string& kind,
                                     const Explanation& why, std::size_t target);

}  // namespace fovea::cli
