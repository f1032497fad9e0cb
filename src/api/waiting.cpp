#include "fovea/waiting.hpp"

#include "base/parallel.hpp"
#include "base/waiting.hpp"

namespace fovea {

struct SleepingWaits::Impl {
  base::SleepingWaits waits;
};

SleepingWaits::SleepingWaits(int threads)
    : impl_(new Impl{base::SleepingWaits(threads > 0 ? threads : base::max_threads())}) {}
SleepingWaits::SleepingWaits(SleepingWaits&&) noexcept = default;
SleepingWaits& SleepingWaits::operator=(SleepingWaits&&) noexcept = default;
SleepingWaits::~SleepingWaits() = default;

}  // namespace fovea
