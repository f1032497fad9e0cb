#include "base/fork.hpp"

#include <pthread.h>

#include <atomic>

#include "fovea/error.hpp"

namespace fovea::base {
namespace {

std::atomic<int> under_way = 0;
std::atomic<bool> teams_ran = false;
std::atomic<Fork> state = Fork::none;

extern "C" void fovea_after_fork() {
  if (under_way > 0) {
    state = Fork::broken;
  } else if (teams_ran && state == Fork::none) {
    state = Fork::alone;
  }
}

/// Where it cannot be had, forks go unnoticed, as they would without.
void notice_forks() noexcept {
  static const int done = pthread_atfork(nullptr, nullptr, fovea_after_fork);
  static_cast<void>(done);
}

}  // namespace

Fork fork_state() noexcept {
  return state.load(std::memory_order_relaxed);
}

void check_fork() {
  if (fork_state() != Fork::broken) return;
  throw Error(ErrorCode::invalid_argument,
              "this process was forked while a call of fovea was under way in its parent, whose "
              "locks are held here for ever: spawn a process, or fork while no call runs");
}

void note_team() noexcept {
  notice_forks();
  teams_ran = true;
}

CallUnderWay::CallUnderWay() {
  notice_forks();
  check_fork();
  ++under_way;
}

CallUnderWay::~CallUnderWay() {
  --under_way;
}

}  // namespace fovea::base
