#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "explain_arguments.hpp"
#include "fovea/image.hpp"
#include "json_output.hpp"
#include "session.hpp"
#include "sha256.hpp"

/// What makes a result again: the bytes that went in, the versions that worked on them, and every
/// option that changes the outcome. It stands in the JSON under "provenance" and in PNGs as the
/// text "fovea"; docs/usage.md says what each member means.
namespace fovea::cli {

/// Of the document itself. What a later program cannot read back gets another number.
inline constexpr int kProvenanceFormat = 1;
inline constexpr const char* kProvenanceKey = "fovea";

/// The model's external weights, where they lie.
std::vector<std::string> external_files(const Session& session);

/// Begins to take the SHA-256 of what the session reads.
void start_digests(const Session& session, Digests& digests);

/// Versions, files and what all subcommands share; `command` is the subcommand.
Json provenance_json(const std::string& command, const Session& session, const Explainer& explainer,
                     Digests& digests);

/// {"file": as given, "sha256": ...}, null for a file that has none.
Json file_json(const std::string& file, Digests& digests);

/// The same of `fovea explain`. One image has its classes as they came out, so that a tie cannot
/// turn out otherwise the next time; several images have them as they were asked for. `targets` are
/// those chosen, before a region or another image.
Json explain_provenance(const ExplainArguments& arguments, const Session& session,
                        const Explainer& explainer, const Method& method,
                        const std::vector<Target>& targets,
                        const std::vector<Explanation>& explanations, Digests& digests);

/// The same of a sheet of several methods, of one image; `explained` are its classes as they came
/// out, one per target.
Json sheet_provenance(const ExplainArguments& arguments, const Session& session,
                      const Explainer& explainer, const std::vector<Method>& methods,
                      const std::vector<Target>& targets,
                      const std::vector<std::int64_t>& explained, Digests& digests);

/// What a sheet's PNG carries.
std::vector<ImageText> sheet_texts(const Json& provenance);

/// What a PNG carries: the provenance with the picture's own target alone, the one at `target`, and
/// which picture it is ("overlay" or "heatmap"; `image` counts from 0).
std::vector<ImageText> picture_texts(Json provenance, const std::string& kind,
                                     const Explanation& why, std::size_t target);

/// How much of the photo was decoded: "full" or "reduced".
std::string decode_text(const Photo& photo);

}  // namespace fovea::cli
