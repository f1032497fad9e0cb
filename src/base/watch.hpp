#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "base/contention.hpp"
#include "base/other_work.hpp"
#include "base/waiting.hpp"

/// What runs took, and what follows from it for how threads wait.
namespace fovea::base {

/// The process's: whoever runs tells it, and it has waiting threads sleep while other work takes
/// cores away. Safe from any thread.
class Watch {
 public:
  /// Shared by all who ask while one holds it; threads spin again, at the latest, when the last one
  /// lets go. Null where `waiting_is_ours` is false.
  static std::shared_ptr<Watch> of_process();

  bool sleeps() const { return sleeps_; }
  void tell(Contention::Window window, int team);
  /// While threads sleep: a call with a team of this size begins.
  void include(int team);

 private:
  std::mutex mutex_;
  Contention contention_;
  OtherWork others_;  ///< while threads sleep
  std::optional<SleepingWaits> sleeping_;
  std::atomic<bool> sleeps_ = false;
};

/// That the calling thread's runs are told to, and the team that they have; null: to nobody.
/// ThreadScope sets it. While threads spin, a team of one has nothing to tell: it waits for nobody.
struct Watched {
  Watch* watch = nullptr;
  int team = 1;
};
Watched& watched();

/// The least that a run has taken, shared by whoever runs it.
class BestTime {
 public:
  double ms() const { return ms_.load(std::memory_order_relaxed); }  ///< 0: never ran
  void note(double ms);

 private:
  std::atomic<float> ms_ = 0;
};

/// A run of the calling thread, from its making to `end`. Costs two looks at the clock, one more at
/// each step (of short runs, at every fourth), and some microseconds every 25 ms.
class WatchedRun {
 public:
  explicit WatchedRun(BestTime& best);
  /// Between two steps: a run that takes long is noticed before it ends.
  void step() {
    if (now_.watch != nullptr && ++steps_ % look_every_ == 0) look();
  }
  void end();

 private:
  void look();

  Watched now_;
  BestTime& best_;
  std::chrono::steady_clock::time_point start_;
  double best_ms_ = 0, told_ms_ = 0;
  unsigned steps_ = 0, look_every_ = 1;
};

}  // namespace fovea::base
