#include "base/watch.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace fovea::base {
namespace {

using Clock = std::chrono::steady_clock;

double ms_of(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

std::int64_t switches_of_process() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

/// Since the calling thread began: ready to run, and no core.
std::optional<double> delay_of_thread() {
  const int file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  char text[96];  // time on a core and time without one in nanoseconds, slices
  const auto size = read(file, text, sizeof text);
  close(file);
  if (size <= 0) return std::nullopt;
  const char* const end = text + size;
  const char* at = std::find(text, text + size, ' ');
  std::int64_t nanoseconds = 0;
  if (at == end || std::from_chars(at + 1, end, nanoseconds).ec != std::errc()) return std::nullopt;
  return static_cast<double>(nanoseconds) / 1e6;
}

/// What a thread gathers until it is worth telling.
struct Gathering {
  bool begun = false;
  Clock::time_point last{};
  double running_ms = 0, lost_ms = 0;
  std::int64_t switches = 0;
  std::optional<double> delay_ms;

  void begin(Clock::time_point now) {
    *this = {true, now, 0, 0, switches_of_process(), delay_of_thread()};
  }

  Contention::Window close(Clock::time_point now) {
    const Gathering before = *this;
    begin(now);
    Contention::Window out{ms_of(now.time_since_epoch()), before.running_ms, before.lost_ms,
                           switches - before.switches,    std::nullopt,      std::nullopt};
    if (before.delay_ms && delay_ms) out.delay_ms = *delay_ms - *before.delay_ms;
    return out;
  }
};

Gathering& gathering() {
  thread_local Gathering own;
  return own;
}

/// A gap between two runs in which the thread or the process did something else.
constexpr auto kGap = std::chrono::milliseconds(50);
/// The steps of shorter runs are so short that a look at the clock counts.
constexpr double kShortRunMs = 1;
constexpr unsigned kShortRunSteps = 4;

}  // namespace

Watched& watched() {
  thread_local Watched own;
  return own;
}

std::shared_ptr<Watch> Watch::of_process() {
  static auto& mutex = *new std::mutex;
  static auto& held = *new std::weak_ptr<Watch>;
  if (!waiting_is_ours()) return nullptr;
  const std::lock_guard lock(mutex);
  auto out = held.lock();
  if (!out) {
    out = std::make_shared<Watch>();
    held = out;
  }
  return out;
}

void Watch::tell(Contention::Window window, int team) {
  const std::lock_guard lock(mutex_);
  if (contention_.sleep() && !window.others) window.others = others_.cpus(Clock::now());
  contention_.tell(window);
  if (contention_.sleep() == sleeping_.has_value()) return;
  if (contention_.sleep()) {
    sleeping_.emplace(team);
    others_.restart();
  } else {
    sleeping_.reset();
  }
  sleeps_ = contention_.sleep();
}

void Watch::include(int team) {
  const std::lock_guard lock(mutex_);
  if (sleeping_) sleeping_->include(team);
}

void BestTime::note(double ms) {
  // Grows again by and by: clocks and inputs change.
  constexpr double kAge = 1.0005;
  const double known = this->ms();
  const double aged = known * kAge;
  ms_.store(static_cast<float>(known == 0 ? ms : std::min(ms, aged)), std::memory_order_relaxed);
}

WatchedRun::WatchedRun(BestTime& best) : now_(watched()), best_(best) {
  if (now_.watch != nullptr && now_.team == 1 && !now_.watch->sleeps()) now_.watch = nullptr;
  if (now_.watch == nullptr) return;
  start_ = Clock::now();
  best_ms_ = best.ms();
  if (best_ms_ > 0 && best_ms_ < kShortRunMs) look_every_ = kShortRunSteps;
  auto& own = gathering();
  if (!own.begun || start_ - own.last > kGap) own.begin(start_);
}

void WatchedRun::look() {
  const auto now = Clock::now();
  const double ms = ms_of(now - start_);
  auto& own = gathering();
  if (own.running_ms + ms - told_ms_ < Contention::kWindowMs) return;
  own.running_ms += ms - told_ms_;
  if (best_ms_ > 0) own.lost_ms += std::max(0., ms - std::max(best_ms_, told_ms_));
  told_ms_ = ms;
  now_.watch->tell(own.close(now), now_.team);
}

void WatchedRun::end() {
  if (now_.watch == nullptr) return;
  const auto now = Clock::now();
  const double ms = ms_of(now - start_);
  auto& own = gathering();
  own.last = now;
  own.running_ms += ms - told_ms_;
  if (best_ms_ > 0) own.lost_ms += std::max(0., ms - std::max(best_ms_, told_ms_));
  best_.note(ms);
  if (own.running_ms >= Contention::kWindowMs) now_.watch->tell(own.close(now), now_.team);
}

}  // namespace fovea::base
