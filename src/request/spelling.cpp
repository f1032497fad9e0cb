#include "request/spelling.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "fovea/request.hpp"

namespace fovea {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

namespace request {

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

}  // namespace request

std::vector<std::string> closest_names(const std::vector<std::string>& names,
                                       const std::string& name, std::size_t count) {
  const auto wanted = lower(name);
  if (wanted.empty()) return {};
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const auto& candidate : names) {
    const auto text = lower(candidate);
    const bool contains = text.find(wanted) != std::string::npos;
    const auto distance = request::edit_distance(text, wanted);
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

namespace request {

std::string did_you_mean(const std::vector<std::string>& names, const std::string& name) {
  std::string out;
  for (const auto& candidate : closest_names(names, name))
    out += (out.empty() ? "; did you mean '" : " or '") + candidate + "'";
  return out.empty() ? out : out + "?";
}

}  // namespace request
}  // namespace fovea
