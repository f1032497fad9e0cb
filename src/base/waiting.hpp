#pragma once

/// How the threads of OpenMP teams wait for each other: they spin for some milliseconds, so that
/// the next step starts at once, or they sleep, so that another process's thread has the core
/// meanwhile.
namespace fovea::base {

/// May the library choose? Not where the environment says how threads wait (OMP_WAIT_POLICY,
/// GOMP_SPINCOUNT), and not with another runtime than GCC's.
bool waiting_is_ours();

/// While one exists, waiting threads of every team of the process sleep almost at once; results
/// stay what they are. From the next time that a thread waits on, in the middle of a call too. Safe
/// from any thread. Does nothing where `waiting_is_ours` is false.
///
/// GCC's OpenMP looks at its spin count each time that a thread waits, and takes a hundred rounds
/// in place of 300,000 while it has more threads than the process has CPUs. So a few more are
/// started here, which sleep until the last of these objects goes. They are started beside the
/// caller, and take effect once they have come up.
class SleepingWaits {
 public:
  /// `team`: the threads of the smallest team that is to sleep; the fewer, the more are started.
  explicit SleepingWaits(int team);
  ~SleepingWaits();
  SleepingWaits(const SleepingWaits&) = delete;
  SleepingWaits& operator=(const SleepingWaits&) = delete;

  /// Sees to it that teams of so many threads sleep too.
  void include(int team);
};

/// Do waiting threads sleep by now? False too where the threads that this takes could not be had:
/// more than 256, or more than the system lets the process start.
bool waits_sleep();

}  // namespace fovea::base
