#include "engine/tuning_time.hpp"

#include <algorithm>
#include <utility>

namespace fovea::engine {
namespace {

constexpr int kSteps = 4;  // a step takes no more than this part of the bound

}  // namespace

TuningTime::TuningTime(std::optional<Clock::duration> bound, Now now)
    : bound_(bound), now_(std::move(now)) {
  if (bound_) of_one_ = *bound_ / kSteps;
}

bool TuningTime::Stretch::over() const {
  if (!of_.bound_) return false;
  const auto so_far = passed();
  return so_far >= *of_.of_one_ || of_.spent_ + so_far >= *of_.bound_;
}

TuningTime TuningTime::part(double share) const {
  TuningTime out = *this;
  out.spent_ = {};
  out.given_up_ = 0;
  if (bound_) {
    const auto left = std::max(*bound_ - spent_, Clock::duration{});
    out.bound_ = std::chrono::duration_cast<Clock::duration>(
        share * std::chrono::duration<double, Clock::period>(left));
  }
  return out;
}

void TuningTime::add(const TuningTime& part) {
  spent_ += part.spent_;
  given_up_ += part.given_up_;
}

}  // namespace fovea::engine
