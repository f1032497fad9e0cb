#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace fovea::quality {

using Json = nlohmann::ordered_json;

/// What was measured, as a table in Markdown: every method's shares.
///
///   {"share": s, "networks": {name: {"drawn": b, "pictures": n, "questions": n}},
///    "methods": {name: {network: {"questions": n, "points": n, "boxed": n, "overlap": mean,
///    "empty": n,
///                                 "options": {...}} or {"refused": reason}}}}
std::string table(const Json& results);

/// The document with the table in place of what stands between its marks. Throws
/// std::runtime_error where there are none.
void write_into(const std::filesystem::path& document, const std::string& table);

}  // namespace fovea::quality
