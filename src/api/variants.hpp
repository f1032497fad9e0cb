#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "fovea/explainer.hpp"

namespace fovea::api {

/// An explainer's for other numbers of threads: the same model and options over the same budget.
/// Safe from any thread.
class Variants {
 public:
  /// Made by the first who asks; the others wait, as long as their call may. Throws as
  /// make_explainer does.
  std::shared_ptr<const Explainer::Impl> get(const Explainer::Impl& own, int threads,
                                             const CallOptions& call);

 private:
  std::shared_ptr<const Explainer::Impl> find(int threads);

  std::timed_mutex making_;
  std::mutex mutex_;
  std::map<int, std::shared_ptr<const Explainer::Impl>> all_;
};

/// The threads that a call says, or that there can be in a forked process; 0: the explainer's own.
/// Throws Error invalid_argument for a number that no runtime makes.
int threads_of(const CallOptions& call);

/// That which runs the call.
std::shared_ptr<const Explainer::Impl> variant_for(std::shared_ptr<const Explainer::Impl> own,
                                                   const CallOptions& call);

/// What the forward pass of the call took on that one.
void tell_threads(const Explainer::Impl& own, const Explainer::Impl& ran, const CallOptions& call,
                  double ms);

}  // namespace fovea::api
