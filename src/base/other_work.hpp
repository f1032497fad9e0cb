#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

namespace fovea::base {

/// Seconds that the CPUs that `counts` names were busy with anything since the machine's start,
/// from the text of /proc/stat; none where it says nothing of them.
std::optional<double> busy_seconds(std::string_view stat, double ticks_per_second,
                                   const std::function<bool(int cpu)>& counts);

/// What other processes take of the CPUs that the calling thread may use. Not for use from several
/// threads at once.
class OtherWork {
 public:
  /// In CPUs, over the last stretch of a tenth of a second or more; none before the first has
  /// passed, or where the system does not say. Time that the host took from a virtual machine is
  /// others' too. Reads /proc/stat once per stretch.
  std::optional<double> cpus(std::chrono::steady_clock::time_point now);
  /// Forgets what was before.
  void restart() { *this = OtherWork(); }

 private:
  struct Sample {
    std::chrono::steady_clock::time_point at;
    double busy_s = 0, own_s = 0;
  };
  std::optional<Sample> last_;
  std::optional<double> cpus_;
};

}  // namespace fovea::base
