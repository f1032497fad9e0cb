#pragma once

#include <sys/types.h>

#include <vector>

namespace fovea::cli {

/// Processes that only count, as other work beside a measurement. Gone with the object, and with
/// the thread that made it however that ends: the system kills them then.
class BusyProcesses {
 public:
  /// Throws Error internal where the system gives no more processes.
  explicit BusyProcesses(int count);
  ~BusyProcesses();
  BusyProcesses(const BusyProcesses&) = delete;
  BusyProcesses& operator=(const BusyProcesses&) = delete;

  const std::vector<pid_t>& processes() const { return processes_; }

 private:
  void end() noexcept;
  std::vector<pid_t> processes_;
};

}  // namespace fovea::cli
