#pragma once

#include <condition_variable>
#include <mutex>

namespace fovea::cli {

/// How many photos may be in the network at once, as far as memory goes. Safe from any thread.
class Turns {
 public:
  explicit Turns(int most) : allowed_(most) {}

  /// Waits for a turn: one of as many as are allowed now, which is returned.
  int begin();
  void end();
  /// Memory did not allow for `allowed` at once, of which this turn was one: gives it back, and
  /// waits for one among fewer, until `allowed` is that. False where it was alone: it still is.
  bool fewer(int& allowed);

  int allowed() const;

 private:
  void wait(std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int allowed_, running_ = 0;
};

}  // namespace fovea::cli
