// How many threads a call takes, and how they wait.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "fovea/threads.hpp"
#include "support.hpp"
#include "support/without_wait_policy.hpp"

namespace fovea {
namespace {

using namespace api_test;
using namespace std::chrono_literals;

ExplainerOptions on_threads(int threads) {
  ExplainerOptions out;
  out.compile.tuning = Tuning::off;
  out.pool.threads = threads;
  return out;
}

TEST(Threads, ACallMayTakeAnotherNumber) {
  const auto model = Model::load(golden_model("mobilenet_v2"));
  const Explainer explainer(model, on_threads(2));
  const auto input = random_input(explainer, 3);
  const auto own = explainer.explain(input);
  EXPECT_EQ(own.timings_ms.threads, 2);
  for (const int threads : {1, 2, 3, 1}) {
    const auto why = explainer.explain(input, GradCam{}, Target::top1(), {}, {.threads = threads});
    EXPECT_EQ(why.timings_ms.threads, threads);
    expect_near(why.feature_map, own.feature_map);
    // As an explainer of its own does.
    const Explainer alone(model, on_threads(threads));
    EXPECT_EQ(why.feature_map.data, alone.explain(input).feature_map.data) << threads;
  }
  EXPECT_EQ(explainer.threads(), 2);
  EXPECT_EQ(explainer.explain(input).feature_map.data, own.feature_map.data);
}

TEST(Threads, AnExplanationRunsOnThoseOfItsRun) {
  const Explainer explainer(Model::load(golden_model("mobilenet_v2")), on_threads(2));
  const auto input = random_input(explainer, 3);
  auto run = explainer.forward(input, {.threads = 1});
  const auto why = run.explain(GradCam{}, Target::top1(), {}, {.threads = 2});
  EXPECT_EQ(why.timings_ms.threads, 1);
}

TEST(Threads, ALimitIsTheCallingThreadsOwn) {
  const auto model = Model::load(golden_model("lenet"));
  const auto by_default = [&] { return Explainer(model, on_threads(0)).threads(); };
  const int before = by_default();
  std::thread([&] {
    const ThreadLimit three(3);
    EXPECT_EQ(by_default(), 3);
    {
      const ThreadLimit one(1);
      EXPECT_EQ(by_default(), 1);
      std::thread([&] { EXPECT_EQ(by_default(), before); }).join();
    }
    EXPECT_EQ(by_default(), 3);
  }).join();
  EXPECT_EQ(by_default(), before);
  for (const int threads : {-1, 0, 1025})
    EXPECT_EQ(code_of([&] { const ThreadLimit none(threads); }), ErrorCode::invalid_argument);
}

TEST(Threads, NumbersThatNoRuntimeMakesAreRefused) {
  const Explainer explainer(Model::load(golden_model("lenet")), on_threads(1));
  const auto input = random_input(explainer, 3);
  for (const int threads : {-1, 1025})
    EXPECT_EQ(code_of([&] { explainer.forward(input, {.threads = threads}); }),
              ErrorCode::invalid_argument);
}

TEST(Threads, MakingThePlansOnceMoreKeepsToTheCallsLimits) {
  const Explainer explainer(Model::load(golden_model("mobilenet_v2")), on_threads(2));
  const auto input = random_input(explainer, 3);
  const auto past = std::chrono::steady_clock::now() - 1ms;
  EXPECT_EQ(code_of([&] { explainer.forward(input, {.deadline = past, .threads = 1}); }),
            ErrorCode::deadline_exceeded);
  EXPECT_NO_THROW(explainer.forward(input, {.threads = 1}));
}

TEST(Threads, CallersMayAskForNewNumbersAtOnce) {
  const Explainer explainer(Model::load(golden_model("mobilenet_v2")), on_threads(1));
  const auto input = random_input(explainer, 3);
  const auto want = explainer.explain(input).feature_map;
  std::vector<Tensor> got(6);
  {
    std::vector<std::jthread> callers;
    for (std::size_t i = 0; i < got.size(); ++i)
      callers.emplace_back([&, i] {
        const int threads = 2 + static_cast<int>(i % 2);
        got[i] = explainer.explain(input, GradCam{}, Target::top1(), {}, {.threads = threads})
                     .feature_map;
      });
  }
  for (const auto& map : got) expect_near(map, want);
}

/// Fits one run, and not two.
std::int64_t room_for_one(const Model& model, ExplainerOptions options) {
  for (std::int64_t limit = 1 << 12;; limit += limit / 8) {
    options.pool.memory_limit = limit;
    try {
      const Explainer explainer(model, options);
      const auto input = random_input(explainer, 3);
      const auto run = explainer.forward(input);
      if (code_of([&] { explainer.forward(input); }) == ErrorCode::out_of_memory) return limit;
      ADD_FAILURE() << "room for two runs at once";
      return limit;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::out_of_memory) throw;
    }
  }
}

TEST(Threads, RunsOnAnyNumberShareTheMemoryLimit) {
  const auto model = Model::load(golden_model("mobilenet_v2"));
  auto options = on_threads(2);
  options.pool.memory_limit = room_for_one(model, options);
  const Explainer explainer(model, options);
  const auto input = random_input(explainer, 3);
  {
    const auto run = explainer.forward(input);
    EXPECT_EQ(code_of([&] { explainer.forward(input, {.threads = 1}); }), ErrorCode::out_of_memory);
  }
  // What is free is dropped for it.
  const auto run = explainer.forward(input, {.threads = 1});
  EXPECT_EQ(code_of([&] { explainer.forward(input); }), ErrorCode::out_of_memory);
}

/// Until threads have come up, or a minute has passed.
bool sleeping_at_last(const Explainer& explainer, const Tensor& input) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < end)
    if (explainer.explain(input).timings_ms.sleeping) return true;
  return false;
}

TEST(Threads, ThatSleepGiveTheSameResultsToTheBit) {
  if (testing_support::ran_without_wait_policy()) return;
  const auto model = Model::load(golden_model("mobilenet_v2"));
  auto options = on_threads(2);
  options.pool.waiting = Waiting::openmp;
  const Explainer spinning(model, options);
  const auto input = random_input(spinning, 3);
  const auto want = spinning.explain(input);
  EXPECT_FALSE(want.timings_ms.sleeping);
  {
    options.pool.waiting = Waiting::sleep;
    const Explainer asleep(model, options);
    EXPECT_TRUE(sleeping_at_last(asleep, input));
    EXPECT_EQ(asleep.explain(input).map.data, want.map.data);
    // In the whole process.
    EXPECT_TRUE(spinning.explain(input).timings_ms.sleeping);
    // A team of another size sleeps too.
    EXPECT_NO_THROW(asleep.forward(input, {.threads = 3}));
  }
  EXPECT_FALSE(spinning.explain(input).timings_ms.sleeping);
  options.pool.waiting = Waiting::adaptive;
  EXPECT_EQ(Explainer(model, options).explain(input).map.data, want.map.data);
}

TEST(Threads, SleepWithoutAnExplainerThatSaysSo) {
  if (testing_support::ran_without_wait_policy()) return;
  auto options = on_threads(2);
  options.pool.waiting = Waiting::openmp;
  const Explainer spinning(Model::load(golden_model("lenet")), options);
  const auto input = random_input(spinning, 3);
  EXPECT_FALSE(spinning.explain(input).timings_ms.sleeping);
  {
    SleepingWaits first(2);
    const SleepingWaits moved = std::move(first);
    EXPECT_TRUE(sleeping_at_last(spinning, input));
    { const SleepingWaits another; }
    EXPECT_TRUE(spinning.explain(input).timings_ms.sleeping);
  }
  EXPECT_FALSE(spinning.explain(input).timings_ms.sleeping);
}

TEST(Threads, TheEnvironmentsPolicyIsLeftAlone) {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr && std::getenv("GOMP_SPINCOUNT") == nullptr)
    GTEST_SKIP() << "the environment has none";
  auto options = on_threads(2);
  options.pool.waiting = Waiting::sleep;
  const Explainer explainer(Model::load(golden_model("lenet")), options);
  EXPECT_FALSE(explainer.explain(random_input(explainer, 3)).timings_ms.sleeping);
}

}  // namespace
}  // namespace fovea
