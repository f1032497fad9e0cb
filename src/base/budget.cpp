#include "base/budget.hpp"

#include <algorithm>
#include <string>

namespace fovea::base {

bool Budget::fits(std::int64_t bytes) {
  auto taken = taken_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ - taken) return false;
  } while (!taken_.compare_exchange_weak(taken, taken + bytes, std::memory_order_relaxed));
  return true;
}

void Budget::take(std::int64_t bytes, std::string_view what) {
  if (bytes < 0) throw Error(ErrorCode::internal, "a size below 0 was asked for");
  if (fits(bytes)) return;
  {
    const std::lock_guard lock(mutex_);
    for (auto* spares : spares_) {
      spares->drop_spares();
      if (fits(bytes)) return;
    }
  }
  throw Error(ErrorCode::out_of_memory, std::string(what) + " needs " + std::to_string(bytes) +
                                            " bytes, and " + std::to_string(taken()) +
                                            " of the explainer's memory_limit of " +
                                            std::to_string(limit_) + " bytes are taken");
}

void Budget::add_spares(Spares& spares) {
  const std::lock_guard lock(mutex_);
  spares_.push_back(&spares);
}

void Budget::remove_spares(Spares& spares) {
  const std::lock_guard lock(mutex_);
  std::erase(spares_, &spares);
}

}  // namespace fovea::base
