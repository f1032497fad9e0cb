#include "folder/turns.hpp"

#include <algorithm>

namespace fovea::cli {

void Turns::wait(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [&] { return running_ < allowed_; });
  ++running_;
}

void Turns::begin() {
  std::unique_lock lock(mutex_);
  wait(lock);
}

void Turns::end() {
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

bool Turns::fewer() {
  std::unique_lock lock(mutex_);
  if (running_ == 1 && allowed_ == 1) return false;
  allowed_ = std::clamp(running_ - 1, 1, allowed_);
  --running_;
  changed_.notify_all();
  wait(lock);
  return true;
}

int Turns::allowed() const {
  const std::lock_guard lock(mutex_);
  return allowed_;
}

}  // namespace fovea::cli
