#include "base/fork.hpp"

#include <pthread.h>

#include <atomic>

#include "fovea/error.hpp"
#include "fovea/export.hpp"

namespace fovea {

/// What is known of forks. Each of the libraries has this file, and what one of them has started is
/// missing in a child to the others as well: exported, so that the loader takes one for all.
struct ProcessForks {
  std::atomic<int> under_way = 0;
  std::atomic<bool> teams_ran = false;
  std::atomic<base::Fork> state = base::Fork::none;
};
extern FOVEA_API ProcessForks process_forks;
ProcessForks process_forks;

namespace base {
namespace {

extern "C" void fovea_after_fork() {
  auto& known = process_forks;
  if (known.under_way > 0) {
    known.state = Fork::broken;
  } else if (known.teams_ran && known.state == Fork::none) {
    known.state = Fork::alone;
  }
}

/// Where it cannot be had, forks go unnoticed, as they would without.
void notice_forks() noexcept {
  static const int done = pthread_atfork(nullptr, nullptr, fovea_after_fork);
  static_cast<void>(done);
}

}  // namespace

Fork fork_state() noexcept {
  return process_forks.state.load(std::memory_order_relaxed);
}

void check_fork() {
  if (fork_state() != Fork::broken) return;
  throw Error(ErrorCode::invalid_argument,
              "this process was forked while a call of fovea was under way in its parent, whose "
              "locks are held here for ever: spawn a process, or fork while no call runs");
}

void note_team() noexcept {
  notice_forks();
  process_forks.teams_ran = true;
}

CallUnderWay::CallUnderWay() {
  notice_forks();
  check_fork();
  ++process_forks.under_way;
}

CallUnderWay::~CallUnderWay() {
  --process_forks.under_way;
}

}  // namespace base
}  // namespace fovea
