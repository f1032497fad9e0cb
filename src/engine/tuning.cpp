#include "engine/tuning.hpp"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checksum.hpp"
#include "base/cpu.hpp"
#include "engine/plan.hpp"

namespace fovea::engine {
namespace {

constexpr std::string_view kTitle = "fovea plan cache 2";

/// Lines that must be the same for a file to be of use here.
std::string header() {
  return std::string(kTitle) + "\ncpu " + base::cpu_name() + "\noneDNN " + onednn_version() + ' ' +
         onednn_isa() + '\n';
}

/// So that a file cut off or edited is not taken for a whole one.
std::string checksum(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto hash = base::checksum(std::as_bytes(std::span(text)));
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[hash >> shift & 15u];
  return out;
}

}  // namespace

std::optional<std::string> Choices::find(const std::string& problem) const {
  const std::lock_guard guard(mutex_);
  const auto it = choices_.find(problem);
  return it == choices_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<std::string> Choices::find_for_other_threads(const std::string& problem) const {
  constexpr std::string_view kLast = " threads ";  // a problem ends in their number
  const auto at = problem.rfind(kLast);
  if (at == std::string::npos) return std::nullopt;
  const auto prefix = problem.substr(0, at + kLast.size());
  const auto threads_of = [&](const std::string& text) {
    int out = 0;
    std::from_chars(text.data() + prefix.size(), text.data() + text.size(), out);
    return out;
  };
  const std::lock_guard guard(mutex_);
  const std::string* nearest = nullptr;
  int distance = std::numeric_limits<int>::max();
  for (auto it = choices_.lower_bound(prefix);
       it != choices_.end() && it->first.starts_with(prefix); ++it) {
    const int away = std::abs(threads_of(it->first) - threads_of(problem));
    if (away >= distance) continue;
    distance = away;
    nearest = &it->second;
  }
  return nearest == nullptr ? std::nullopt : std::optional(*nearest);
}

void Choices::keep(const std::string& problem, const std::string& choice) {
  const std::lock_guard guard(mutex_);
  choices_.emplace(problem, choice);
}

bool Choices::add(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string first = header();
  if (!text.starts_with(first)) return false;
  const auto last = text.rfind("\nend ");
  if (last == std::string_view::npos || text.back() != '\n') return false;
  const auto body = text.substr(0, last + 1);
  if (text.substr(last + 5, text.size() - last - 6) != checksum(body)) return false;
  std::vector<std::pair<std::string, std::string>> rows;
  for (auto rest = body.substr(first.size()); !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) return false;
    rows.emplace_back(line.substr(0, tab), line.substr(tab + 1));
    rest.remove_prefix(line.size() + 1);
  }
  const std::lock_guard guard(mutex_);
  for (auto& [problem, choice] : rows) choices_.emplace(std::move(problem), std::move(choice));
  return true;
}

std::string Choices::text() const {
  std::string out = header();
  const std::lock_guard guard(mutex_);
  for (const auto& [problem, choice] : choices_)
    out.append(problem).append(1, '\t').append(choice).append(1, '\n');
  return out + "end " + checksum(out) + '\n';
}

bool outgrows_caches(const graph::Graph& graph) {
  // More than a server CPU's core can call its own of the last level.
  constexpr std::size_t kWeights = std::size_t{64} << 20 >> 2;
  std::size_t weights = 0;
  for (const auto& value : graph.values())
    if (value.constant && value.type == graph::DType::f32) weights += value.constant->size();
  return weights > kWeights;
}

}  // namespace fovea::engine
