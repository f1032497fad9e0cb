#include "base/contention.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

#include "base/other_work.hpp"

namespace fovea::base {
namespace {

/// Tells one window after the other, as a caller's runs would.
class Told {
 public:
  Contention::Window window() const {
    return {now_, Contention::kWindowMs, 0, 0, 0.0, std::nullopt};
  }
  void tell(Contention::Window window) {
    now_ += Contention::kWindowMs;
    window.now_ms = now_;
    contention_.tell(window);
  }
  void calm() { tell(window()); }
  /// Beside other work: the caller waited for a core as long.
  void delayed(double ms, std::int64_t switches = 5) {
    auto one = window();
    one.delay_ms = ms;
    one.switches = switches;
    tell(one);
  }
  void lost(double ms, std::int64_t switches = 5) {
    auto one = window();
    one.delay_ms.reset();
    one.lost_ms = ms;
    one.switches = switches;
    tell(one);
  }
  /// Milliseconds of calm until threads spin again.
  double calm_until_spinning() {
    const double start = now_;
    while (contention_.sleep() && now_ - start < 1e6) calm();
    return now_ - start;
  }
  void pass(double ms) { now_ += ms; }
  bool sleep() const { return contention_.sleep(); }

 private:
  Contention contention_;
  double now_ = 1000;
};

TEST(Contention, ACalmMachineSpins) {
  Told told;
  for (int i = 0; i < 100; ++i) told.calm();
  EXPECT_FALSE(told.sleep());
}

TEST(Contention, ASingleSmallLossIsNoReasonASecondOneIs) {
  Told told;
  told.delayed(9);
  EXPECT_FALSE(told.sleep());
  told.calm();
  told.delayed(9);
  EXPECT_FALSE(told.sleep());
  told.delayed(9);
  EXPECT_TRUE(told.sleep());
}

TEST(Contention, AWindowLostForTheMostPartIsEnough) {
  Told told;
  told.delayed(20);
  EXPECT_TRUE(told.sleep());
}

TEST(Contention, SlowRunsCountWhereTheSystemDoesNotSayWhatTheyWaitedFor) {
  Told told;
  told.lost(20);
  EXPECT_TRUE(told.sleep());
}

TEST(Contention, SlowRunsWithoutASwitchAreSlowForAnotherReason) {
  Told told;
  for (int i = 0; i < 10; ++i) told.lost(20, 0);
  EXPECT_FALSE(told.sleep());
}

TEST(Contention, ManySwitchesThatCostNothingAreNoReason) {
  Told told;
  for (int i = 0; i < 10; ++i) told.delayed(2, 50);
  EXPECT_FALSE(told.sleep());
}

TEST(Contention, SpinsAgainAfterSoMuchCalm) {
  Told told;
  told.delayed(20);
  EXPECT_NEAR(told.calm_until_spinning(), Contention::kCalmMs, Contention::kWindowMs);
}

TEST(Contention, CalmBeginsAnewWithEveryBusyWindow) {
  Told told;
  told.delayed(20);
  for (int i = 0; i < 50; ++i) {
    for (int k = 0; k < 5; ++k) told.calm();
    told.delayed(10);
    ASSERT_TRUE(told.sleep());
  }
  for (int i = 0; i < 50; ++i) {
    for (int k = 0; k < 5; ++k) told.calm();
    told.lost(0, 20);  // switches alone
    ASSERT_TRUE(told.sleep());
  }
}

TEST(Contention, WhatOthersTakeSaysWhetherItIsCalm) {
  Told told;
  const auto beside = [&](double others, double delay, std::int64_t switches) {
    auto one = told.window();
    one.others = others;
    one.delay_ms = delay;
    one.switches = switches;
    told.tell(one);
  };
  told.delayed(20);
  // Threads that sleep wait for each other's cores, whoever else is there.
  for (int i = 0; i < 100 && told.sleep(); ++i) beside(0.05, 10, 500);
  EXPECT_FALSE(told.sleep());
  told.pass(60000);
  told.delayed(20);
  for (int i = 0; i < 1000; ++i) beside(0.9, 0, 0);
  EXPECT_TRUE(told.sleep());
}

TEST(OtherWork, CountsTheCpusThatCount) {
  constexpr std::string_view kText =
      "cpu  9 9 9 9 9 9 9 9 9 9\n"
      "cpu0 100 20 30 4000 50 6 4 40 7 8\n"
      "cpu1 1 1 1 1 1 1 1 1\n"
      "cpu12 300 0 0 5\n"
      "intr 5 5\n"
      "cpu3 900 900 900 900 900\n";
  const auto of = [&](std::initializer_list<int> cpus) {
    return busy_seconds(kText, 100, [&](int cpu) {
      return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
    });
  };
  EXPECT_EQ(of({0}), 2.0);
  EXPECT_EQ(of({0, 12}), 5.0);
  EXPECT_FALSE(of({3}));
  EXPECT_FALSE(busy_seconds("", 100, [](int) { return true; }));
  EXPECT_FALSE(busy_seconds("cpu", 100, [](int) { return true; }));
}

TEST(Contention, CalmThatDidNotLastIsWaitedForLonger) {
  Told told;
  told.delayed(20);
  double last = told.calm_until_spinning();
  for (int i = 0; i < 3; ++i) {
    told.delayed(20);
    const double now = told.calm_until_spinning();
    EXPECT_NEAR(now, 2 * last, Contention::kWindowMs);
    last = now;
  }
  for (int i = 0; i < 10; ++i) {
    told.delayed(20);
    last = told.calm_until_spinning();
  }
  EXPECT_NEAR(last, Contention::kLongestCalmMs, Contention::kWindowMs);
  // And less again, once it lasted.
  told.pass(60000);
  told.delayed(20);
  EXPECT_NEAR(told.calm_until_spinning(), last / 2, Contention::kWindowMs);
}

}  // namespace
}  // namespace fovea::base
