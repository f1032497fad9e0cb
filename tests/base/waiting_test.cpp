#include "base/waiting.hpp"

#include <gtest/gtest.h>
#include <omp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "base/parallel.hpp"
#include "base/watch.hpp"
#include "support/without_wait_policy.hpp"

namespace fovea::base {
namespace {

using namespace std::chrono_literals;

std::ptrdiff_t threads_of_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

/// Threads come up, and go, beside the caller.
bool comes_true(const std::function<bool()>& what) {
  for (int i = 0; i < 3000; ++i) {
    if (what()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

/// How often the other thread of a team of two gave up its core, of so many times that it waited
/// for the caller's part of a region.
int waits_slept_through(int waits) {
  int slept = 0;
  for (int i = 0; i < waits; ++i) {
    std::atomic<bool> waits_now = false;
#pragma omp parallel num_threads(2)
    {
      const auto of_thread = [] {
        rusage usage{};
        getrusage(RUSAGE_THREAD, &usage);
        return usage.ru_nvcsw;
      };
      static thread_local long before = 0;
      if (omp_get_thread_num() == 1) {
        if (i > 0 && of_thread() > before) ++slept;
        before = of_thread();
        waits_now = true;
      } else {
        while (!waits_now) std::this_thread::yield();
        std::this_thread::sleep_for(1ms);
      }
    }
  }
  return slept;
}

TEST(Waiting, ThreadsOfATeamSleepWhileAnyoneHoldsThem) {
  if (testing_support::ran_without_wait_policy()) return;
  ASSERT_TRUE(waiting_is_ours());
  waits_slept_through(2);
  const auto before = threads_of_process();
  EXPECT_FALSE(waits_sleep());
  {
    SleepingWaits outer(2);
    {
      const SleepingWaits inner(2);
      EXPECT_TRUE(comes_true(waits_sleep));
      EXPECT_GE(threads_of_process(), before + 2);
    }
    EXPECT_TRUE(waits_sleep());
    constexpr int kWaits = 50;
    EXPECT_GE(waits_slept_through(kWaits), kWaits - 5);
  }
  EXPECT_FALSE(waits_sleep());
  EXPECT_TRUE(comes_true([&] { return threads_of_process() == before; }));
  {
    const SleepingWaits again(2);
    EXPECT_TRUE(comes_true(waits_sleep));
  }
}

TEST(Waiting, ASmallerTeamTakesMoreThreads) {
  if (testing_support::ran_without_wait_policy()) return;
  const int cpus = omp_get_num_procs();
  SleepingWaits waits(cpus + 3);
  EXPECT_TRUE(comes_true(waits_sleep));
  const auto few = threads_of_process();
  waits.include(2);
  EXPECT_TRUE(comes_true(waits_sleep));
  EXPECT_TRUE(cpus <= 2 || threads_of_process() > few);
  waits.include(1);  // waits for nobody
  EXPECT_TRUE(waits_sleep());
}

TEST(Waiting, AnyThreadMayHoldThem) {
  if (testing_support::ran_without_wait_policy()) return;
  std::vector<std::jthread> holders;
  for (int n = 0; n < 4; ++n)
    holders.emplace_back([n] {
      for (int i = 0; i < 25; ++i) {
        SleepingWaits waits(2 + (n + i) % 3);
        waits.include(2);
        waits_sleep();
      }
    });
  holders.clear();
  EXPECT_FALSE(waits_sleep());
}

TEST(Waiting, TheProcesssWatchHasThemSleepAndLetsGo) {
  if (testing_support::ran_without_wait_policy()) return;
  auto watch = Watch::of_process();
  ASSERT_NE(watch, nullptr);
  EXPECT_EQ(watch, Watch::of_process());
  Contention::Window busy{1000, Contention::kWindowMs, 0, 9, 20.0, std::nullopt};
  {
    const ThreadScope scope(2, watch.get());
    EXPECT_EQ(watched().watch, watch.get());
    EXPECT_EQ(watched().team, 2);
    const ThreadScope inner(1, watch.get());
    EXPECT_EQ(watched().team, 1);
  }
  EXPECT_EQ(watched().watch, nullptr);
  watch->tell(busy, 2);
  EXPECT_TRUE(watch->sleeps());
  EXPECT_TRUE(comes_true(waits_sleep));
  watch.reset();
  EXPECT_FALSE(waits_sleep());
}

TEST(Waiting, ARunTellsWhatItLostBesidesItsBest) {
  if (testing_support::ran_without_wait_policy()) return;
  auto watch = Watch::of_process();
  ASSERT_NE(watch, nullptr);
  BestTime best;
  const ThreadScope scope(2, watch.get());
  for (const auto time : {5ms, 2ms, 9ms}) {
    WatchedRun run(best);
    std::this_thread::sleep_for(time);
    run.step();
    run.end();
  }
  EXPECT_GE(best.ms(), 2);
  EXPECT_LT(best.ms(), 1000);
  const double known = best.ms();
  best.note(2 * known);
  EXPECT_GE(best.ms(), known);  // clocks change
  EXPECT_LT(best.ms(), 1.01 * known);
  best.note(known / 2);
  EXPECT_NEAR(best.ms(), known / 2, 1e-3 * known);
}

}  // namespace
}  // namespace fovea::base
