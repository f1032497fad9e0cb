#include "api/variants.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/check_options.hpp"
#include "api/explainer_impl.hpp"
#include "api/explainer_maker.hpp"
#include "base/fork.hpp"
#include "base/limits.hpp"

namespace fovea::api {
namespace {

using Clock = std::chrono::steady_clock;

double now_ms() {
  return std::chrono::duration<double, std::milli>(Clock::now().time_since_epoch()).count();
}

/// Of a number that nobody asked for: the explainer itself where it cannot be had soon.
std::shared_ptr<const Explainer::Impl> adapted(std::shared_ptr<const Explainer::Impl> own,
                                               const CallOptions& call) {
  // A call may wait so long, once, for what makes the next ones faster.
  constexpr auto kSoon = std::chrono::milliseconds(500);
  const int threads = own->thread_choice.next(now_ms(), own->made_for, own->watch->sleeps());
  if (threads == own->made_for) return own;
  constexpr int kPart = 4;  // and so much of the time that the call itself may take
  const auto now = Clock::now();
  auto soon = engine::within(base::Limits(call));
  soon.deadline = now + kSoon;
  if (call.deadline) soon.deadline = std::min(*soon.deadline, now + (*call.deadline - now) / kPart);
  try {
    return own->variants.get(*own, threads, soon);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    own->thread_choice.never(threads);
    return own;
  }
}

}  // namespace

std::shared_ptr<const Explainer::Impl> Variants::find(int threads) {
  const std::lock_guard lock(mutex_);
  const auto it = all_.find(threads);
  return it == all_.end() ? nullptr : it->second;
}

std::shared_ptr<const Explainer::Impl> Variants::get(const Explainer::Impl& own, int threads,
                                                     const CallOptions& call) {
  if (auto found = find(threads)) return found;
  constexpr auto kPatience = std::chrono::milliseconds(10);  // between looks at the limits
  const base::Limits limits(call);
  std::unique_lock making(making_, std::defer_lock);
  while (!making.try_lock_for(kPatience)) limits.check();
  if (auto found = find(threads)) return found;
  auto made = make_variant(own, threads, call);
  const std::lock_guard lock(mutex_);
  return all_.emplace(threads, std::move(made)).first->second;
}

int threads_of(const CallOptions& call) {
  check_threads(call.threads);
  return base::fork_state() == base::Fork::none ? call.threads : 1;
}

std::shared_ptr<const Explainer::Impl> variant_for(std::shared_ptr<const Explainer::Impl> own,
                                                   const CallOptions& call) {
  const int threads = threads_of(call);
  if (threads == 0 && own->adapts_threads()) return adapted(std::move(own), call);
  if (threads == 0 || threads == own->made_for) return own;
  return own->variants.get(*own, threads, call);
}

void tell_threads(const Explainer::Impl& own, const Explainer::Impl& ran, const CallOptions& call,
                  double ms) {
  if (call.threads == 0 && own.adapts_threads()) own.thread_choice.tell(now_ms(), ran.made_for, ms);
}

}  // namespace fovea::api
