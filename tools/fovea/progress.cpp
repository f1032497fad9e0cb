#include "progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace fovea::cli {
namespace {

constexpr auto kPause = std::chrono::milliseconds(100);

std::string percent(double done) {
  return std::to_string(static_cast<int>(100 * done)) + " %";
}

}  // namespace

Progress::Progress(std::chrono::milliseconds after)
    : terminal_(::isatty(STDERR_FILENO) == 1), next_(Clock::now() + after) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (width_ > 0) std::fprintf(stderr, "\r%*s\r", static_cast<int>(width_), "");
  width_ = 0;
}

void Progress::show(const std::string& what, double done) {
  say(what + " " + percent(done));
}

void Progress::say(const std::string& line) {
  if (!terminal_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + kPause;
  width_ = std::max(width_, line.size());
  std::fprintf(stderr, "\r%-*s", static_cast<int>(width_), line.c_str());
  std::fflush(stderr);
}

}  // namespace fovea::cli
