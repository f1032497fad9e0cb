#pragma once

#include <cstdint>
#include <optional>

namespace fovea::base {

/// Says when the threads of a team should sleep while they wait, from what runs took. Knows no
/// clock and no machine: it is told. Not for use from several threads at once.
///
/// A team that has every core it wants loses nothing by spinning. One that shares them waits a
/// scheduler's slice for whichever of its threads has lost its core. The CPU's time says nothing of
/// that, since whoever waits spins; the scheduler does: threads that were sent off a core although
/// they had work, and time that the caller waited for one.
class Contention {
 public:
  /// A stretch of runs of one calling thread.
  struct Window {
    double now_ms = 0;      ///< when it ended, on any clock
    double running_ms = 0;  ///< spent in runs
    double lost_ms = 0;     ///< of that, beyond what the same runs took at best
    /// Times that a thread of the process was sent off its core meanwhile.
    std::int64_t switches = 0;
    /// That the caller was ready to run and had no core; none where the system does not say.
    std::optional<double> delay_ms;
    /// CPUs that other processes took lately (OtherWork), while threads sleep; none where the
    /// system does not say.
    std::optional<double> others;
  };
  /// Windows that are shorter say little.
  static constexpr double kWindowMs = 25;
  /// Threads that sleep are sent back to spinning after so much calm, twice as much each time that
  /// it did not last.
  static constexpr double kCalmMs = 300, kLongestCalmMs = 20000;

  void tell(const Window& window);
  bool sleep() const { return sleep_; }

 private:
  void while_spinning(const Window& window);
  void while_sleeping(const Window& window);

  bool sleep_ = false;
  int busy_ = 0;  ///< windows one after the other
  double calm_since_ms_ = 0, woken_ms_ = 0;
  bool was_woken_ = false;
  double needed_calm_ms_ = kCalmMs;
};

}  // namespace fovea::base
