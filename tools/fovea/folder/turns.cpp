#include "folder/turns.hpp"

namespace fovea::cli {

void Turns::wait(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [&] { return running_ < allowed_; });
  ++running_;
}

int Turns::begin() {
  std::unique_lock lock(mutex_);
  wait(lock);
  return allowed_;
}

void Turns::end() {
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

bool Turns::fewer(int& allowed) {
  std::unique_lock lock(mutex_);
  if (allowed == 1) return false;
  // Another may have found out the same: one fewer is tried before two.
  if (allowed_ == allowed) --allowed_;
  --running_;
  changed_.notify_all();
  wait(lock);
  allowed = allowed_;
  return true;
}

int Turns::allowed() const {
  const std::lock_guard lock(mutex_);
  return allowed_;
}

}  // namespace fovea::cli
