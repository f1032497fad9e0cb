#include <algorithm>
#include <functional>

#include "fovea/files.hpp"
#include "fovea/session.hpp"
#include "request/text.hpp"

namespace fovea {
namespace request {

std::string printable_label(std::string label) {
  constexpr unsigned char kFirstPrintable = 0x20, kDelete = 0x7f;
  for (auto& c : label)
    if (const auto byte = static_cast<unsigned char>(c); byte < kFirstPrintable || byte == kDelete)
      c = c == '\t' ? ' ' : '?';
  return label;
}

}  // namespace request

namespace {

using request::joined;
using request::lower;

constexpr std::size_t kListed = 8;

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

std::string without_wordnet_id(std::string label) {
  const auto is_digit = [&](std::size_t i) { return label[i] >= '0' && label[i] <= '9'; };
  if (label.size() < 11 || label[0] != 'n' || (label[9] != ' ' && label[9] != '\t')) return label;
  for (std::size_t i = 1; i <= 8; ++i)
    if (!is_digit(i)) return label;
  return trimmed(std::string_view(label).substr(10));
}

std::vector<std::string> synonyms(const std::string& label) {
  std::vector<std::string> names;
  std::size_t start = 0;
  while (start <= label.size()) {
    const auto end = std::min(label.find(',', start), label.size());
    names.push_back(trimmed(std::string_view(label).substr(start, end - start)));
    start = end + 1;
  }
  return names;
}

}  // namespace

Labels parse_labels(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Labels labels;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    labels.push_back(request::printable_label(without_wordnet_id(trimmed(text.substr(0, end)))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  return labels;
}

Labels read_labels(const std::filesystem::path& file) {
  auto labels = parse_labels(read_text(file, ErrorCode::invalid_argument));
  if (labels.empty())
    throw Error(ErrorCode::invalid_argument, "the labels file is empty",
                {.file = file.string(), .node = {}, .op = {}});
  return labels;
}

std::int64_t find_label(const Labels& labels, const std::string& text) {
  if (labels.empty())
    throw Error(ErrorCode::invalid_argument,
                "--label needs the names of the classes: give --labels FILE, or --class N");
  const auto wanted = lower(trimmed(text));
  if (wanted.empty()) throw Error(ErrorCode::invalid_argument, "--label is empty");

  const std::function<bool(const std::string&)> levels[] = {
      [&](const std::string& label) { return label == text; },
      [&](const std::string& label) {
        if (lower(label) == wanted) return true;
        for (const auto& name : synonyms(label))
          if (lower(name) == wanted) return true;
        return false;
      },
      [&](const std::string& label) { return lower(label).find(wanted) != std::string::npos; },
  };
  for (const auto& matches : levels) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (matches(labels[i])) found.push_back(i);
    if (found.size() == 1) return static_cast<std::int64_t>(found.front());
    if (found.empty()) continue;
    std::vector<std::string> candidates;
    for (std::size_t i = 0; i < found.size() && i < kListed; ++i)
      candidates.push_back("'" + labels[found[i]] + "' (class " + std::to_string(found[i]) + ")");
    if (found.size() > kListed)
      candidates.push_back("and " + std::to_string(found.size() - kListed) + " more");
    throw Error(ErrorCode::invalid_argument,
                "the label '" + text + "' fits several classes: " + joined(candidates));
  }
  throw Error(ErrorCode::invalid_argument,
              "no class is labelled '" + text + "'" + did_you_mean(labels, text));
}

}  // namespace fovea
