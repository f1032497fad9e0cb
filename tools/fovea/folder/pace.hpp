#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "progress.hpp"

namespace fovea::cli {

/// How far many photos are.
struct Standing {
  std::int64_t total = 0;
  std::int64_t before = 0;  ///< of those that are done, by earlier calls
  std::int64_t ok = 0, failed = 0;
  double seconds = 0;  ///< of this call

  std::int64_t done() const { return ok + failed; }
  double per_second() const;
  /// 0 where that is not known.
  double seconds_left() const;
};

/// "3.25", "41.2", "1250": photos a second.
std::string rate_text(double per_second);
/// "[#####.....] 256/512, 41.2 photos/s, 0:06 left, 3 failed"
std::string bar_text(const Standing& standing);
/// The same as a line of JSON: {done, total, ok, failed, photos_per_second, seconds_left}.
std::string pace_line(const Standing& standing);

/// Says so on standard error: a line that changes where that is a terminal, or, for a program, a
/// line of JSON a second. For one thread at a time.
class Pace {
 public:
  /// `how` is that of --progress: auto, json or none.
  explicit Pace(std::string how);

  void show(const Standing& standing, bool at_once = false);
  /// "fovea: error: ...", a line of its own.
  void tell(const std::string& error);
  void clear() { progress_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;
  std::string how_;
  Progress progress_;
  Clock::time_point next_;
};

}  // namespace fovea::cli
