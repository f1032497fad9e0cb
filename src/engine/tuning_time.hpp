#pragma once

#include <chrono>
#include <functional>
#include <optional>

/// How long an explainer's tuning may take.
namespace fovea::engine {

/// The bound of all that is timed while one explainer is made, and what it left undone. For one
/// thread.
class TuningTime {
 public:
  using Clock = std::chrono::steady_clock;
  using Now = std::function<Clock::time_point()>;

  /// None: as long as it takes.
  explicit TuningTime(std::optional<Clock::duration> bound = {}, Now now = Clock::now);

  /// While it lives, time counts. Not two of one TuningTime at once.
  class Stretch {
   public:
    explicit Stretch(TuningTime& of) : of_(of), start_(of.now_()) {}
    ~Stretch() { of_.spent_ += passed(); }
    Stretch(const Stretch&) = delete;
    Stretch& operator=(const Stretch&) = delete;

    /// Is the bound reached, or this stretch's part of it? What one step may take is a quarter, so
    /// that a hopeless one leaves time for the others.
    bool over() const;

   private:
    Clock::duration passed() const { return of_.now_() - start_; }
    TuningTime& of_;
    Clock::time_point start_;
  };

  /// Of what is left, the given part (0 to 1), on the same clock, to be added afterwards.
  TuningTime part(double share) const;
  void add(const TuningTime& part);

  /// Notes a step that was not timed, or not in full, for want of time.
  void give_up_one() { ++given_up_; }
  int given_up() const { return given_up_; }

 private:
  std::optional<Clock::duration> bound_, of_one_;
  Now now_;
  Clock::duration spent_{};
  int given_up_ = 0;
};

}  // namespace fovea::engine
