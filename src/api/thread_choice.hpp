#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <set>

namespace fovea::api {

/// Says how many threads calls should take while other work takes cores away, from what they took:
/// half as many, one and twice as many are tried, and kept where they are faster. Knows no clock:
/// it is told. Safe from any thread.
class ThreadChoice {
 public:
  /// Fewer threads are tried after so much trouble, by so many calls; what was kept is tried
  /// against others ever more seldom.
  static constexpr double kFirstMs = 2000, kSoonMs = 500, kLaterMs = 4000, kSeldomMs = 60000;
  static constexpr std::size_t kCalls = 7;

  /// For the next call. `trouble`: other work takes cores away. `own`: the explainer's number.
  int next(double now_ms, int own, bool trouble);
  /// What a call that was given so many took.
  void tell(double now_ms, int threads, double ms);
  /// So many cannot be had.
  void never(int threads);

 private:
  /// Of the last calls on one number of threads.
  struct Times {
    std::array<double, kCalls> ms{}, at_ms{};
    std::size_t count = 0;
    void add(double now, double took);
    bool full() const { return count >= kCalls; }
    double median() const;
    double oldest_at() const;
  };
  void begin(double now_ms, int own);
  void end(double now_ms);
  /// Another number worth a try; 0: none.
  int other(int own) const;

  std::mutex mutex_;
  bool trouble_ = false;
  int kept_ = 0;   ///< the best so far; 0: nothing is known
  int tried_ = 0;  ///< being compared with that; 0: nothing is
  int turn_ = 0;   ///< whose it is to be tried: half as many, one, or twice as many
  double next_trial_ms_ = 0, pause_ms_ = kLaterMs, calm_at_ms_ = 0;
  Times of_kept_, of_tried_;
  std::set<int> never_;
};

}  // namespace fovea::api
