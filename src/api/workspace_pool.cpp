#include "api/workspace_pool.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/limits.hpp"

namespace fovea::api {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::milliseconds(10);  // between looks at a flag

}  // namespace

void refuse_run(std::int64_t needed, std::int64_t memory_limit) {
  throw Error(ErrorCode::out_of_memory,
              "a run and what its methods run beside it need " + std::to_string(needed) +
                  " bytes, more than the memory_limit of " + std::to_string(memory_limit));
}

WorkspacePool::WorkspacePool(const engine::Plan& plan, int max, base::Budget& budget)
    : plan_(plan), max_(max), budget_(budget) {
  budget_.add_spares(*this);
}

WorkspacePool::~WorkspacePool() {
  budget_.remove_spares(*this);
  drop_spares();
}

engine::Workspace WorkspacePool::make() {
  base::Reservation bytes(budget_, plan_.workspace_bytes(), "one more run");
  auto workspace = plan_.make_workspace();
  bytes.keep();
  return workspace;
}

void WorkspacePool::drop_spares() {
  std::vector<engine::Workspace> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(free_);
  }
  const auto bytes = plan_.workspace_bytes() * std::ssize(dropped);
  dropped.clear();
  budget_.release(bytes);
}

engine::Workspace WorkspacePool::take(const CallOptions& call) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return !free_.empty() || out_ < max_; };
  const auto got = [&] {
    if (!call.deadline && call.stop_flag == nullptr) return returned_.wait(lock, call.stop, ready);
    auto until = call.deadline.value_or(Clock::time_point::max());
    if (call.stop_flag != nullptr) until = std::min(until, Clock::now() + kPatience);
    return returned_.wait_until(lock, call.stop, until, ready);
  };
  while (!got()) {
    if (base::Limits(call).is_cancelled())
      throw Error(ErrorCode::cancelled, "the call was cancelled");
    if (call.deadline && Clock::now() >= *call.deadline)
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
    return make();
  } catch (...) {
    lock.lock();
    --out_;
    returned_.notify_one();
    throw;
  }
}

void WorkspacePool::release(engine::Workspace workspace) {
  {
    const std::lock_guard lock(mutex_);
    --out_;
    free_.push_back(std::move(workspace));
  }
  returned_.notify_one();
}

}  // namespace fovea::api
