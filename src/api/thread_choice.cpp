#include "api/thread_choice.hpp"

#include <algorithm>

namespace fovea::api {
namespace {

/// A difference that pays for results that differ in their last bits.
constexpr double kFaster = 0.9;
/// Calls that lie further apart are no stream of them.
constexpr double kStreamMs = 5000;
/// Trouble that comes back so soon is the same trouble.
constexpr double kSameMs = 10000;
constexpr std::size_t kTurns = 3;

}  // namespace

void ThreadChoice::Times::add(double now, double took) {
  ms[count % kCalls] = took;
  at_ms[count % kCalls] = now;
  ++count;
}

double ThreadChoice::Times::median() const {
  auto sorted = ms;
  std::nth_element(sorted.begin(), sorted.begin() + kCalls / 2, sorted.end());
  return sorted[kCalls / 2];
}

double ThreadChoice::Times::oldest_at() const {
  return at_ms[count % kCalls];
}

void ThreadChoice::begin(double now_ms, int own) {
  trouble_ = true;
  tried_ = 0;
  of_kept_ = {};
  pause_ms_ = kLaterMs;
  next_trial_ms_ = now_ms + kFirstMs;
  const bool same = kept_ > 0 && kept_ < own && now_ms - calm_at_ms_ < kSameMs;
  if (!same) kept_ = own;
  turn_ = 0;
}

void ThreadChoice::end(double now_ms) {
  trouble_ = false;
  calm_at_ms_ = now_ms;
}

int ThreadChoice::other(int own) const {
  const std::array<int, kTurns> all = {std::max(1, kept_ / 2), 1, std::min(own, 2 * kept_)};
  for (std::size_t i = 0; i < kTurns; ++i) {
    const int threads = all[(static_cast<std::size_t>(turn_) + i) % kTurns];
    if (threads != kept_ && !never_.contains(threads)) return threads;
  }
  return 0;
}

int ThreadChoice::next(double now_ms, int own, bool trouble) {
  const std::lock_guard lock(mutex_);
  if (!trouble) {
    if (trouble_) end(now_ms);
    return own;
  }
  if (!trouble_) begin(now_ms, own);
  const bool stream = of_kept_.full() && now_ms - of_kept_.oldest_at() < kStreamMs;
  if (tried_ == 0 && now_ms >= next_trial_ms_ && stream) {
    tried_ = other(own);
    of_tried_ = {};
  }
  return tried_ != 0 ? tried_ : kept_;
}

void ThreadChoice::tell(double now_ms, int threads, double ms) {
  const std::lock_guard lock(mutex_);
  if (!trouble_) return;
  if (threads == kept_) of_kept_.add(now_ms, ms);
  if (tried_ == 0 || threads != tried_) return;
  of_tried_.add(now_ms, ms);
  if (!of_tried_.full()) return;
  if (of_tried_.median() < kFaster * of_kept_.median()) {
    turn_ = tried_ > kept_ ? 2 : 0;
    kept_ = tried_;
    of_kept_ = of_tried_;
    pause_ms_ = kLaterMs;
    next_trial_ms_ = now_ms + kSoonMs;
  } else {
    ++turn_;
    next_trial_ms_ = now_ms + pause_ms_;
    pause_ms_ = std::min(2 * pause_ms_, kSeldomMs);
    of_kept_ = {};  // times of before the trial are of another machine by the next one
  }
  tried_ = 0;
}

void ThreadChoice::never(int threads) {
  const std::lock_guard lock(mutex_);
  never_.insert(threads);
  if (tried_ == threads) tried_ = 0;
  if (kept_ == threads) kept_ = 0, trouble_ = false;
}

}  // namespace fovea::api
