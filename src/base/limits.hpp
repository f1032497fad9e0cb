#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <stop_token>

#include "fovea/running.hpp"

namespace fovea::base {

/// When a call is to end before it is done.
struct Limits {
  std::stop_token stop = {};
  const std::atomic<int>* stop_flag = nullptr;
  std::optional<std::chrono::steady_clock::time_point> deadline = {};

  Limits() = default;
  explicit Limits(const CallOptions& call)
      : stop(call.stop), stop_flag(call.stop_flag), deadline(call.deadline) {}

  bool is_cancelled() const {
    return stop.stop_requested() ||
           (stop_flag != nullptr && stop_flag->load(std::memory_order_relaxed) != 0);
  }
  /// Throws Error cancelled or deadline_exceeded once it is time. Costs a look at the clock, where
  /// there is a deadline.
  void check() const;
};

}  // namespace fovea::base
