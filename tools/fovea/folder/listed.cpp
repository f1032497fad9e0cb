#include "folder/listed.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "folder/arguments.hpp"
#include "outputs.hpp"
#include "picture_folder.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestList = std::uintmax_t{1} << 30;
// Of a file's name, so that an extension and what is written beside it still fit.
constexpr std::size_t kLongestPart = 200;

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

/// At most so many bytes, no character cut.
std::string shortened(std::string text) {
  if (text.size() <= kLongestPart) return text;
  auto end = kLongestPart;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

fs::path whole_path(const std::string& path) {
  std::error_code failure;
  const auto out = fs::weakly_canonical(fs::absolute(path, failure), failure);
  return failure ? fs::path(path).lexically_normal() : out;
}

Listed in_folder(const std::string& folder, const std::string& but) {
  Listed out;
  std::vector<std::string> unreadable;
  const auto whole = whole_path(folder), left_out = whole_path(but);
  for (auto& name : pictures_in(folder, &unreadable)) {
    if (lies_in(whole / name, left_out)) continue;
    out.files.push_back((fs::path(folder) / name).string());
    out.names.push_back(wanted_name(name));
  }
  if (out.files.empty())
    throw Error(ErrorCode::bad_input, "the folder holds no images but those in the output's",
                {.file = folder, .node = {}, .op = {}});
  for (const auto& name : unreadable)
    out.warnings.push_back("the folder '" + (fs::path(folder) / name).string() +
                           "' cannot be read and is left out");
  return out;
}

Listed in_list(const std::string& file) {
  const auto text = read_text(file, ErrorCode::bad_input, kLargestList);
  const char end = text.find('\0') == std::string::npos ? '\n' : '\0';
  Listed out;
  std::set<std::string> seen;
  std::size_t twice = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto next = std::min(text.find(end, at), text.size());
    auto path = text.substr(at, next - at);
    at = next + 1;
    if (end == '\n' && path.ends_with('\r')) path.pop_back();
    if (path.empty()) continue;
    if (!seen.insert(fs::path(path).lexically_normal().string()).second) {
      ++twice;
      continue;
    }
    out.names.push_back(wanted_name(path));
    out.files.push_back(std::move(path));
  }
  if (out.files.empty())
    throw Error(ErrorCode::bad_input, "the list names no images",
                {.file = file, .node = {}, .op = {}});
  if (twice > 0)
    out.warnings.push_back(
        (twice == 1 ? "1 line of the list names an image that is"
                    : std::to_string(twice) + " lines of the list name images that are") +
        std::string(" there before: each is explained once"));
  return out;
}

}  // namespace

std::string wanted_name(const std::string& path) {
  fs::path out;
  for (const auto& part : fs::path(path).lexically_normal().relative_path())
    out /= part == ".." ? std::string("up") : shortened(part.string());
  auto name = out.generic_string();
  if (!is_utf8(name))
    for (auto& c : name)
      if (static_cast<unsigned char>(c) >= 0x80U) c = '_';
  return name;
}

std::vector<std::string> own_names(const std::vector<std::string>& wanted,
                                   const std::vector<std::string>& taken) {
  const std::set<std::string> own(wanted.begin(), wanted.end());
  std::set<std::string> used(taken.begin(), taken.end());
  std::vector<std::string> out;
  for (const auto& first : wanted) {
    auto name = first;
    for (int i = 2; used.contains(name) || (name != first && own.contains(name)); ++i)
      name = first + "-" + std::to_string(i);
    used.insert(name);
    out.push_back(std::move(name));
  }
  return out;
}

Listed listed_photos(const std::string& images, const std::string& but) {
  std::error_code failure;
  if (fs::is_directory(images, failure)) return in_folder(images, but);
  const auto extension = lower(fs::path(images).extension().string());
  const auto pictures = picture_extensions();
  if (std::find(pictures.begin(), pictures.end(), extension) != pictures.end())
    throw Error(ErrorCode::bad_input,
                "a photo, not a folder or a list of photos: 'fovea explain' takes one",
                {.file = images, .node = {}, .op = {}});
  return in_list(images == "-" ? "/dev/stdin" : images);
}

}  // namespace fovea::cli
