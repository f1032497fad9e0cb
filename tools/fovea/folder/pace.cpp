#include "folder/pace.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "json_output.hpp"

namespace fovea::cli {
namespace {

constexpr std::size_t kBar = 20;
constexpr auto kBetweenLines = std::chrono::seconds(1);

/// "0:06", "12:30", "1:02:03".
std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  char text[40];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", static_cast<long long>(whole / 3600),
                  static_cast<long long>(whole / 60 % 60), static_cast<long long>(whole % 60));
  else
    std::snprintf(text, sizeof text, "%lld:%02lld", static_cast<long long>(whole / 60),
                  static_cast<long long>(whole % 60));
  return text;
}

}  // namespace

double Standing::per_second() const {
  return seconds > 0 ? static_cast<double>(done() - before) / seconds : 0;
}

double Standing::seconds_left() const {
  return per_second() > 0 ? static_cast<double>(total - done()) / per_second() : 0;
}

std::string rate_text(double per_second) {
  const char* format = "%.0f";
  if (per_second < 100) format = per_second < 10 ? "%.2f" : "%.1f";
  return number_text(format, per_second);
}

std::string bar_text(const Standing& standing) {
  const auto total = std::max<std::int64_t>(standing.total, 1);
  const auto filled = static_cast<std::size_t>(static_cast<double>(standing.done()) * kBar /
                                               static_cast<double>(total));
  auto out = "[" + std::string(std::min(filled, kBar), '#') +
             std::string(kBar - std::min(filled, kBar), '.') + "] " +
             std::to_string(standing.done()) + "/" + std::to_string(standing.total);
  if (standing.per_second() > 0)
    out += ", " + rate_text(standing.per_second()) + " photos/s, " +
           clock_text(standing.seconds_left()) + " left";
  if (standing.failed > 0) out += ", " + std::to_string(standing.failed) + " failed";
  return out;
}

std::string pace_line(const Standing& standing) {
  const auto rounded = [](double value) { return std::round(value * 1000) / 1000; };
  const bool known = standing.per_second() > 0;
  const Json json = {
      {"done", standing.done()},
      {"total", standing.total},
      {"ok", standing.ok},
      {"failed", standing.failed},
      {"photos_per_second", known ? Json(rounded(standing.per_second())) : Json(nullptr)},
      {"seconds_left", known ? Json(rounded(standing.seconds_left())) : Json(nullptr)}};
  return json.dump() + "\n";
}

Pace::Pace(std::string how) : how_(std::move(how)), next_(Clock::now()) {}

void Pace::show(const Standing& standing, bool at_once) {
  if (how_ == "auto") progress_.say(bar_text(standing));
  if (how_ != "json") return;
  const auto now = Clock::now();
  if (now < next_ && !at_once) return;
  next_ = now + kBetweenLines;
  std::fputs(pace_line(standing).c_str(), stderr);
}

void Pace::tell(const std::string& error) {
  progress_.clear();
  std::fprintf(stderr, "fovea: error: %s\n", error.c_str());
}

}  // namespace fovea::cli
