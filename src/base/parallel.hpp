#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

/// The one home of OpenMP.
namespace fovea::base {

class Watch;

/// How many threads a parallel region started here would use.
int max_threads();

/// Sets the calling thread's OpenMP team size and, in every thread of the team, flushes denormals
/// to zero (an input of 1e-39 slows a convolution hundreds of times); the destructor gives the
/// caller back what it had. `threads` 0 keeps the caller's team size. What the thread runs
/// meanwhile is told to `watch`, where there is one.
class ThreadScope {
 public:
  explicit ThreadScope(int threads, Watch* watch = nullptr);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int saved_threads_;
  int saved_dynamic_;
  unsigned saved_csr_;
  int team_;
  Watch* saved_watch_;
  int saved_watched_team_;
};

namespace detail {
using RangeBody = void (*)(void* context, std::int64_t begin, std::int64_t end);
void parallel_range(std::int64_t n, std::int64_t grain, RangeBody body, void* context);
}  // namespace detail

/// body(begin, end) over disjoint pieces of [0, n), in parallel where n is at least `grain` (the
/// number of items worth waking a thread for). Which piece runs where never changes a result that
/// depends on its index only. What the body throws is thrown here, once every piece has ended.
template <class Body>
void parallel_for(std::int64_t n, std::int64_t grain, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  detail::parallel_range(
      n, grain,
      [](void* context, std::int64_t begin, std::int64_t end) {
        (*static_cast<Plain*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace fovea::base
