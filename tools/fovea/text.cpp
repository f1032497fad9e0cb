#include "text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <system_error>
#include <utility>

namespace fovea::cli {

std::string shape_text(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string out;
  for (const auto extent : shape) {
    if (!out.empty()) out += " x ";
    out += extent < 0 ? "?" : std::to_string(extent);
  }
  return out;
}

std::string joined(std::span<const std::string> items, std::string_view separator) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out += separator;
    out += item;
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

double shortest(float value) {
  if (!std::isfinite(value)) return value;
  char buffer[64];
  *std::to_chars(buffer, buffer + sizeof buffer - 1, value).ptr = '\0';
  return std::strtod(buffer, nullptr);
}

std::string number_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, diagonal + 1, change});
    }
  }
  return row.back();
}

std::vector<std::string> closest(const std::vector<std::string>& names, const std::string& name,
                                 std::size_t count) {
  const auto wanted = lower(name);
  if (wanted.empty()) return {};
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const auto& candidate : names) {
    const auto text = lower(candidate);
    const bool contains = text.find(wanted) != std::string::npos;
    const auto distance = edit_distance(text, wanted);
    if (contains || distance <= std::max<std::size_t>(wanted.size() / 2, 1))
      ranked.emplace_back(contains ? 0 : distance, candidate);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& x, const auto& y) { return x.first < y.first; });
  std::vector<std::string> out;
  for (const auto& [distance, candidate] : ranked) {
    if (out.size() == count) break;
    if (std::find(out.begin(), out.end(), candidate) == out.end()) out.push_back(candidate);
  }
  return out;
}

std::string did_you_mean(const std::vector<std::string>& names, const std::string& name) {
  std::string out;
  for (const auto& candidate : closest(names, name))
    out += (out.empty() ? "; did you mean '" : " or '") + candidate + "'";
  return out.empty() ? out : out + "?";
}

std::ifstream open_input(const std::string& file, ErrorCode code) {
  const auto refuse = [&](const std::string& sentence) {
    throw Error(code, sentence, {.file = file, .node = {}, .op = {}});
  };
  // Before it is opened: that alone may start what a device does.
  std::error_code failure;
  const auto status = std::filesystem::status(file, failure);
  if (!std::filesystem::exists(status)) refuse("the file does not exist");
  if (std::filesystem::is_directory(status)) refuse("this is a directory, not a file");
  if (std::filesystem::is_socket(status)) refuse("this is a socket, not a file");
  if (!std::filesystem::is_regular_file(status) && !std::filesystem::is_fifo(status))
    refuse("this is a device, not a file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) refuse("the file cannot be read");
  return stream;
}

std::string read_text(const std::string& file, ErrorCode code, std::uintmax_t limit) {
  const ErrorContext where{.file = file, .node = {}, .op = {}};
  auto stream = open_input(file, code);
  std::string text;
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  while (stream) {
    const auto before = text.size();
    text.resize(before + kPiece);
    stream.read(text.data() + before, kPiece);
    text.resize(before + static_cast<std::size_t>(stream.gcount()));
    if (text.size() > limit)
      throw Error(code, "the file is too large to be what it should be", where);
  }
  if (stream.bad()) throw Error(code, "the file cannot be read", where);
  return text;
}

}  // namespace fovea::cli
