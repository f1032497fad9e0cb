#include "bench/busy.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "fovea/error.hpp"

namespace fovea::cli {
namespace {

[[noreturn]] void count_until_killed(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // it ended before it could be watched
  volatile std::uint64_t n = 0;
  for (;;) n = n + 1;
}

}  // namespace

BusyProcesses::BusyProcesses(int count) {
  const auto parent = ::getpid();
  for (int i = 0; i < count; ++i) {
    const auto child = ::fork();
    if (child == 0) count_until_killed(parent);
    if (child < 0) {
      end();
      throw Error(ErrorCode::internal, "the system has no room for " + std::to_string(count) +
                                           " busy processes, only for " + std::to_string(i));
    }
    processes_.push_back(child);
  }
}

BusyProcesses::~BusyProcesses() {
  end();
}

void BusyProcesses::end() noexcept {
  for (const auto process : processes_) ::kill(process, SIGKILL);
  for (const auto process : processes_) ::waitpid(process, nullptr, 0);
  processes_.clear();
}

}  // namespace fovea::cli
