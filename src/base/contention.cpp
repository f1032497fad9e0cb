#include "base/contention.hpp"

#include <algorithm>

namespace fovea::base {
namespace {

/// Of the time in runs. Sleeping costs a third on an idle machine, so a smaller loss is no reason.
constexpr double kLostShare = 0.3;
/// A single window with as much is enough; a smaller loss needs a second one.
constexpr double kLostAtOnceMs = 12;
/// Fewer are the system's own business.
constexpr std::int64_t kSwitches = 2;
/// Less than so much of a CPU is the system's own business as well.
constexpr double kOtherCpus = 0.2;
/// Where nobody says what others take. Threads that sleep are off their cores at every step, and a
/// little late each time they wake.
constexpr double kDelayedShare = 0.1;
constexpr double kSwitchesPerMs = 0.03;
/// Woken and back to sleep within this time: the calm did not last.
constexpr double kRelapseMs = 3000;

}  // namespace

void Contention::tell(const Window& window) {
  if (sleep_) {
    while_sleeping(window);
  } else {
    while_spinning(window);
  }
}

void Contention::while_spinning(const Window& window) {
  const double lost = std::max(window.lost_ms, window.delay_ms.value_or(0));
  if (window.switches < kSwitches || lost < kLostShare * window.running_ms) {
    busy_ = 0;
    return;
  }
  if (++busy_ < 2 && lost < kLostAtOnceMs) return;
  const bool relapse = was_woken_ && window.now_ms - woken_ms_ < kRelapseMs;
  needed_calm_ms_ = relapse ? std::min(2 * needed_calm_ms_, kLongestCalmMs)
                            : std::max(needed_calm_ms_ / 2, kCalmMs);
  sleep_ = true;
  busy_ = 0;
  calm_since_ms_ = window.now_ms;
}

void Contention::while_sleeping(const Window& window) {
  const auto allowed = std::max(static_cast<double>(kSwitches), kSwitchesPerMs * window.running_ms);
  // A thread that is woken is often put on the core of the one that woke it: without other work,
  // too, threads that sleep are sent off cores and wait for them.
  const bool busy = window.others
                        ? *window.others > kOtherCpus
                        : static_cast<double>(window.switches) > allowed ||
                              window.delay_ms.value_or(0) > kDelayedShare * window.running_ms;
  if (busy) {
    calm_since_ms_ = window.now_ms;
    return;
  }
  if (window.now_ms - calm_since_ms_ < needed_calm_ms_) return;
  sleep_ = false;
  was_woken_ = true;
  woken_ms_ = window.now_ms;
}

}  // namespace fovea::base
