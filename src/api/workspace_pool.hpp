#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/budget.hpp"
#include "engine/plan.hpp"
#include "fovea/explainer.hpp"

namespace fovea::api {

/// Throws Error out_of_memory: a run takes so many bytes, with what methods run beside it.
[[noreturn]] void refuse_run(std::int64_t needed, std::int64_t memory_limit);

/// Workspaces of one plan, made as they are needed and handed out again. Their bytes are taken from
/// the budget as long as they are there. Safe from any thread.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): nothing derives from it.
class WorkspacePool final : public base::Spares {
 public:
  WorkspacePool(const engine::Plan& plan, int max, base::Budget& budget);
  ~WorkspacePool();
  WorkspacePool(const WorkspacePool&) = delete;
  WorkspacePool& operator=(const WorkspacePool&) = delete;

  /// Waits for one while `max` are out; throws Error cancelled or deadline_exceeded meanwhile, and
  /// out_of_memory where the budget has no room for one more.
  engine::Workspace take(const CallOptions& call);
  void release(engine::Workspace workspace);
  void drop_spares() override;

 private:
  engine::Workspace make();

  const engine::Plan& plan_;
  const int max_;
  base::Budget& budget_;
  std::mutex mutex_;
  std::condition_variable_any returned_;
  std::vector<engine::Workspace> free_;
  int out_ = 0;
};

}  // namespace fovea::api
