#include "base/spelling.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "fovea/spelling.hpp"

namespace fovea::base {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t most) {
  const auto longer = std::max(a.size(), b.size()), shorter = std::min(a.size(), b.size());
  if (longer - shorter > most) return most + 1;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0], least = row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, diagonal + 1, change});
      least = std::min(least, row[j + 1]);
    }
    if (least > most) return most + 1;
  }
  return std::min(row.back(), most + 1);
}

}  // namespace fovea::base

namespace fovea {

std::vector<std::string> closest_names(const std::vector<std::string>& names,
                                       const std::string& name, std::size_t count) {
  const auto wanted = base::lower(name);
  if (wanted.empty()) return {};
  const auto most = std::max<std::size_t>(wanted.size() / 2, 1);
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const auto& candidate : names) {
    const auto text = base::lower(candidate);
    const bool contains = text.find(wanted) != std::string::npos;
    const auto distance = contains ? 0 : base::edit_distance(text, wanted, most);
    if (distance <= most) ranked.emplace_back(distance, candidate);
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
  for (const auto& candidate : closest_names(names, name))
    out += (out.empty() ? "; did you mean '" : " or '") + candidate + "'";
  return out.empty() ? out : out + "?";
}

}  // namespace fovea
