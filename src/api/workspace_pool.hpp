#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "engine/plan.hpp"
#include "fovea/explainer.hpp"

namespace fovea::api {

/// Workspaces of one plan, made as they are needed and handed out again. Safe from any thread.
class WorkspacePool {
 public:
  WorkspacePool(const engine::Plan& plan, int most) : plan_(plan), most_(most) {}

  /// Waits for one while `most` are out; throws Error cancelled or deadline_exceeded meanwhile.
  engine::Workspace take(const CallOptions& call);
  void give_back(engine::Workspace workspace);

 private:
  const engine::Plan& plan_;
  const int most_;
  std::mutex mutex_;
  std::condition_variable_any returned_;
  std::vector<engine::Workspace> free_;
  int out_ = 0;
};

}  // namespace fovea::api
