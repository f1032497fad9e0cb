#pragma once

#include <chrono>
#include <string>

namespace fovea::cli {

/// One line on standard error that says how far something long is, where that is a terminal;
/// gone with the object. Nothing elsewhere.
class Progress {
 public:
  /// The line is first shown `after` so long.
  explicit Progress(std::chrono::milliseconds after = {});
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done`: 0 to 1. Between runs, never within one.
  void show(const std::string& what, double done);
  /// The same of any text.
  void say(const std::string& line);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool terminal_;
  std::size_t width_ = 0;
  Clock::time_point next_;
};

}  // namespace fovea::cli
