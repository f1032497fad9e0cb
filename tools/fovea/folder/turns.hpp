#pragma once

#include <condition_variable>
#include <mutex>

namespace fovea::cli {

/// How many photos may be in the network at once, as far as memory goes. Safe from any thread.
class Turns {
 public:
  explicit Turns(int most) : allowed_(most) {}

  /// Waits for one.
  void begin();
  void end();
  /// Memory did not allow for as many as there are: gives the turn back and waits for one among
  /// fewer. False where this one was alone, and still has its turn.
  bool fewer();

  int allowed() const;

 private:
  void wait(std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int allowed_, running_ = 0;
};

}  // namespace fovea::cli
