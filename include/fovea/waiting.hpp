#pragma once

#include <memory>

#include "fovea/export.hpp"

namespace fovea {

/// While one exists, OpenMP threads that wait for each other sleep, as with `Waiting::sleep`: for
/// what runs before there is an explainer, or beside one, as photos are decoded, prepared and
/// drawn. For a process that is soon over, which should not take cores that others wait for.
/// Does nothing where `Waiting` does nothing. Safe from any thread; of several, the last one ends
/// it. Cost: starts a few threads, which sleep, and takes effect once they have come up.
class FOVEA_API SleepingWaits {
 public:
  /// `threads`: of the teams that wait; 0: what the calling thread would use.
  explicit SleepingWaits(int threads = 0);
  SleepingWaits(SleepingWaits&&) noexcept;
  SleepingWaits& operator=(SleepingWaits&&) noexcept;
  ~SleepingWaits();

  struct FOVEA_LOCAL Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea
