#include "folder/record.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea::cli {
namespace {

constexpr auto kVersions = std::to_array<std::string_view>({"fovea", "onednn", "onednn_isa"});

/// Where an option is not called as its member, with dashes.
constexpr auto kOptions = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"second", "--then"},
    {"decode", "--exact-decode"},
    {"inputs", "--input"},
    {"questions", "--input"},
    {"fixed_inputs", "--fixed-input"},
    {"input_shapes", "--input-shape"},
    {"optimize", "--no-optimize"},
    {"options", "--option"},
    {"layer_rules", "--rule"},
    {"layers", "--layer"},
    {"method_by_target", "--method"},
    {"enlarge", "--no-enlarge"},
    {"provenance", "--no-provenance"},
    {"rank", "--top"},
    {"text", "--target"},
    {"probability", "--score"},
    {"negated", "--against"},
});

std::string option_of(const std::string& member) {
  for (const auto& [name, option] : kOptions)
    if (name == member) return std::string(option);
  auto out = "--" + member;
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

/// Without the names of files whose contents are known.
Json by_contents(Json json) {
  if (json.is_object() && json.contains("file") && json.contains("sha256") &&
      json["sha256"].is_string())
    json.erase("file");
  for (auto& value : json)
    if (value.is_structured()) value = by_contents(std::move(value));
  return json;
}

std::string shown(const Json& value) {
  if (value.is_null()) return "not given";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("file") && value["file"].is_string())
    return value["file"].get<std::string>();
  constexpr std::size_t kLongest = 60;
  auto text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > kLongest ? text.substr(0, kLongest) + "..." : text;
}

Json member(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  return found == object.end() ? Json() : *found;
}

/// The names of both, each once.
std::vector<std::string> members(const Json& one, const Json& other) {
  std::vector<std::string> out;
  for (const auto* object : {&one, &other})
    for (const auto& [name, value] : object->items())
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  return out;
}

/// Of objects whose members are options.
std::optional<Difference> in_members(const Json& was, const Json& is) {
  for (const auto& name : members(was, is)) {
    const auto before = member(was, name), now = member(is, name);
    if (by_contents(before) != by_contents(now))
      return Difference{option_of(name), shown(before), shown(now)};
  }
  return std::nullopt;
}

/// The member that says what the target is: its first.
std::string kind_of(const Json& targets, std::size_t at) {
  return at < targets.size() && !targets[at].empty() ? targets[at].begin().key() : std::string();
}

/// What a target is, in the words of the option that says so.
std::string shown_target(const Json& targets, std::size_t at) {
  const auto kind = kind_of(targets, at);
  if (kind.empty()) return "not given";
  if (kind != "rank") return option_of(kind) + " " + shown(targets[at][kind]);
  const auto rank = targets[at][kind].get<std::int64_t>();
  return rank == 0 ? "the best class" : "--top " + std::to_string(rank + 1);
}

std::optional<Difference> in_targets(const Json& was, const Json& is) {
  for (std::size_t i = 0; i < std::max(was.size(), is.size()); ++i) {
    const auto before = kind_of(was, i), now = kind_of(is, i);
    if (before == now) {
      if (auto found = in_members(was[i], is[i])) return found;
      continue;
    }
    // The best class is what is explained where nothing is said.
    const auto named = now.empty() || (now == "rank" && !before.empty()) ? before : now;
    return Difference{option_of(named), shown_target(was, i), shown_target(is, i)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Difference> difference(const Json& was, const Json& is) {
  for (const auto& name : members(was, is)) {
    if (std::find(kVersions.begin(), kVersions.end(), name) != kVersions.end()) continue;
    const auto before = member(was, name), now = member(is, name);
    std::optional<Difference> found;
    if (name == "targets")
      found = in_targets(before, now);
    else if (name == "outputs")
      found = in_members(before, now);
    else if (by_contents(before) != by_contents(now))
      found = Difference{option_of(name), shown(before), shown(now)};
    if (found) return found;
  }
  return std::nullopt;
}

std::string version_warning(const Json& was, const Json& is) {
  for (const auto& name : kVersions) {
    const auto before = member(was, std::string(name)), now = member(is, std::string(name));
    if (before != now)
      return "the results that are there were made with " + std::string(name) + " " +
             shown(before) + ", and this is " + shown(now) + ": maps may differ in their last bits";
  }
  return {};
}

}  // namespace fovea::cli
