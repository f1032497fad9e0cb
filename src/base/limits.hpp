#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

namespace fovea::base {

/// When a call is to end before it is done.
struct Limits {
  std::stop_token stop = {};
  std::optional<std::chrono::steady_clock::time_point> deadline = {};

  /// Throws Error cancelled or deadline_exceeded once it is time. Costs a look at the clock, where
  /// there is a deadline.
  void check() const;
};

}  // namespace fovea::base
