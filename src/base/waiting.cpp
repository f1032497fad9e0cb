#include "base/waiting.hpp"

#include <dlfcn.h>
#include <omp.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace fovea::base {
namespace {

constexpr int kMostParked = 256;

/// OpenMP counts the CPUs once, when it is loaded; a later change of the affinity is not seen.
const int kCpusAtLoad = omp_get_num_procs();

int cpus() {
  return std::max(kCpusAtLoad, omp_get_num_procs());
}

bool is_gcc_openmp() {
  Dl_info info{};
  const void* symbol = dlsym(RTLD_DEFAULT, "omp_get_num_procs");
  return symbol != nullptr && dladdr(symbol, &info) != 0 && info.dli_fname != nullptr &&
         std::string_view(info.dli_fname).find("libgomp") != std::string_view::npos;
}

/// Threads that can be waited for and let go.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return open_; });
  }
  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

/// OpenMP ends the process where it cannot start a thread; the standard library says so.
bool can_start(int threads) {
  Gate gate;
  std::vector<std::thread> all;
  bool could = true;
  try {
    all.reserve(static_cast<std::size_t>(threads));
    for (int i = 0; i < threads; ++i) all.emplace_back([&] { gate.pass(); });
  } catch (const std::exception&) {
    could = false;
  }
  gate.open();
  for (auto& thread : all) thread.join();
  return could;
}

/// The host's signals are not for our threads, nor for those that these start.
class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved_);
  }
  ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }
  WithoutSignals(const WithoutSignals&) = delete;
  WithoutSignals& operator=(const WithoutSignals&) = delete;

 private:
  sigset_t saved_;
};

/// A thread with an OpenMP team that does nothing: OpenMP counts the team until its owner ends.
class Parked {
 public:
  /// `team`: besides the owner, which OpenMP does not count. Throws std::system_error.
  explicit Parked(int team) : team_(team), process_(getpid()) {
    const WithoutSignals quiet;
    thread_ = std::make_unique<std::thread>([state = state_, team] {
      if (can_start(team)) {
        omp_set_dynamic(0);
        int got = 0;
        // The region has to do something: GCC leaves an empty one out.
#pragma omp parallel num_threads(team + 1)
        {
#pragma omp master
          got = omp_get_num_threads() - 1;
        }
        state->counted = got;
      }
      state->end.pass();
    });
  }

  ~Parked() {
    // In the child of a fork the thread is not there to be joined.
    if (process_ != getpid()) {
      static_cast<void>(thread_.release());
      return;
    }
    state_->end.open();
    thread_->join();
  }
  Parked(const Parked&) = delete;
  Parked& operator=(const Parked&) = delete;

  void let_go() {
    state_->end.open();
  }
  int asked_for() const {
    return team_;
  }
  int counted() const {
    return state_->counted;
  }

 private:
  struct State {
    std::atomic<int> counted = 0;
    Gate end;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
  int team_;
  pid_t process_;
  std::unique_ptr<std::thread> thread_;
};

class Switch {
 public:
  void hold(int team) {
    const std::lock_guard lock(mutex_);
    if (holds_++ == 0) leaving_.clear();
    include_locked(team);
  }

  void include(int team) {
    const std::lock_guard lock(mutex_);
    include_locked(team);
  }

  void release() {
    const std::lock_guard lock(mutex_);
    if (--holds_ > 0) return;
    for (const auto& one : parked_) one->let_go();
    // Joined later, since one of them may wait for a core.
    leaving_ = std::move(parked_);
    parked_.clear();
    team_ = 0;
  }

  void join() {
    const std::lock_guard lock(mutex_);
    leaving_.clear();
  }

  bool in_force() {
    const std::lock_guard lock(mutex_);
    int counted = 0;
    for (const auto& one : parked_) counted += one->counted();
    return team_ > 1 && counted >= needed(team_);
  }

 private:
  /// More than the CPUs, with a team whose owner was counted from the start.
  static int needed(int team) { return std::max(1, cpus() - team + 1); }

  void include_locked(int team) {
    if (team <= 1 || (team_ > 0 && team >= team_)) return;
    team_ = team;
    if (needed(team) > kMostParked) return;
    int missing = needed(team);
    for (const auto& one : parked_) missing -= one->asked_for();
    if (missing <= 0) return;
    try {
      parked_.push_back(std::make_unique<Parked>(missing));
    } catch (const std::exception&) {
      // Nothing depends on it; waits_sleep says that it did not come about.
    }
  }

  std::mutex mutex_;
  int holds_ = 0;
  int team_ = 0;  ///< the smallest that sleeps; 0: none
  std::vector<std::unique_ptr<Parked>> parked_, leaving_;
};

/// Never destroyed: what is held may outlive the static objects of this file.
Switch& the_switch() {
  static Switch& only = *new Switch;
  return only;
}

/// No thread of ours may be on its way out when this library's code is unmapped.
struct AtTheEnd {
  ~AtTheEnd() { the_switch().join(); }
} at_the_end;

}  // namespace

bool waiting_is_ours() {
  // Read once, as OpenMP does.
  const auto is_set = [](const char* name) {
    return std::getenv(name) != nullptr;  // NOLINT(concurrency-mt-unsafe)
  };
  static const bool ours =
      !is_set("OMP_WAIT_POLICY") && !is_set("GOMP_SPINCOUNT") && is_gcc_openmp();
  return ours;
}

SleepingWaits::SleepingWaits(int team) {
  if (waiting_is_ours()) the_switch().hold(team);
}

SleepingWaits::~SleepingWaits() {
  if (waiting_is_ours()) the_switch().release();
}

void SleepingWaits::include(int team) {
  if (waiting_is_ours()) the_switch().include(team);
}

bool waits_sleep() {
  return waiting_is_ours() && the_switch().in_force();
}

}  // namespace fovea::base
