#include "base/parallel.hpp"

#include <immintrin.h>
#include <omp.h>

#include <algorithm>
#include <exception>

#include "base/fork.hpp"
#include "base/watch.hpp"

namespace fovea::base {
namespace {

constexpr unsigned kFlushDenormals = 0x8040;  // FTZ (bit 15) and DAZ (bit 6) of MXCSR

/// The pool's threads are ours between calls as much as the host's: each of them is set on entry
/// and cleared on exit; the caller's own register is saved.
template <class Set>
void in_each_thread(int team, const Set& set) {
  if (team == 1 || fork_state() != Fork::none) return set();
  note_team();
#pragma omp parallel num_threads(team)
  set();
}

}  // namespace

int max_threads() {
  return fork_state() == Fork::none ? omp_get_max_threads() : 1;
}

ThreadScope::ThreadScope(int threads, Watch* watch)
    : saved_threads_(omp_get_max_threads()),
      saved_dynamic_(omp_get_dynamic()),
      saved_csr_(_mm_getcsr()),
      saved_watch_(watched().watch),
      saved_watched_team_(watched().team) {
  omp_set_dynamic(0);
  if (fork_state() != Fork::none) threads = 1;
  if (threads > 0) omp_set_num_threads(threads);
  team_ = omp_get_max_threads();
  watched() = {watch, team_};
  if (watch != nullptr && watch->sleeps()) watch->include(team_);
  in_each_thread(team_, [] { _mm_setcsr(_mm_getcsr() | kFlushDenormals); });
}

ThreadScope::~ThreadScope() {
  in_each_thread(team_, [csr = saved_csr_] { _mm_setcsr(csr); });
  omp_set_num_threads(saved_threads_);
  omp_set_dynamic(saved_dynamic_);
  watched() = {saved_watch_, saved_watched_team_};
}

namespace detail {

void parallel_range(std::int64_t n, std::int64_t grain, RangeBody body, void* context) {
  if (n <= 0) return;
  const auto pieces = std::min<std::int64_t>(
      max_threads(), std::max<std::int64_t>(1, n / std::max<std::int64_t>(1, grain)));
  if (pieces <= 1 || omp_in_parallel()) {
    body(context, 0, n);
    return;
  }
  note_team();
  std::exception_ptr failure;  // an exception may not leave a parallel region
  // Always the whole team, however few the pieces: GCC's OpenMP ends the threads that a smaller
  // team leaves over, and starts new ones for the next larger one.
#pragma omp parallel
  {
    const std::int64_t workers = std::min<std::int64_t>(pieces, omp_get_num_threads());
    const std::int64_t me = std::min<std::int64_t>(omp_get_thread_num(), workers);
    const std::int64_t begin = n * me / workers;
    const std::int64_t end = std::min(n, n * (me + 1) / workers);
    try {
      if (begin < end) body(context, begin, end);
    } catch (...) {
#pragma omp critical(fovea_parallel_range)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace detail
}  // namespace fovea::base
