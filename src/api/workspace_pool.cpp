#include "api/workspace_pool.hpp"

#include <utility>

namespace fovea::api {

engine::Workspace WorkspacePool::take(const CallOptions& call) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return !free_.empty() || out_ < most_; };
  bool got = true;
  if (call.deadline) {
    got = returned_.wait_until(lock, call.stop, *call.deadline, ready);
  } else {
    got = returned_.wait(lock, call.stop, ready);
  }
  if (!got) {
    if (call.stop.stop_requested()) throw Error(ErrorCode::cancelled, "the call was cancelled");
    throw Error(ErrorCode::deadline_exceeded, "the call's deadline passed before a run began");
  }
  ++out_;
  if (!free_.empty()) {
    engine::Workspace workspace = std::move(free_.back());
    free_.pop_back();
    return workspace;
  }
  lock.unlock();
  try {
    return plan_.make_workspace();
  } catch (...) {
    lock.lock();
    --out_;
    returned_.notify_one();
    throw;
  }
}

void WorkspacePool::give_back(engine::Workspace workspace) {
  {
    const std::lock_guard lock(mutex_);
    --out_;
    free_.push_back(std::move(workspace));
  }
  returned_.notify_one();
}

}  // namespace fovea::api
