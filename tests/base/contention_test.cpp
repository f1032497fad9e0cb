#include "base/contention.hpp"

#include <gtest/gtest.h>

namespace fovea::base {
namespace {

/// Tells one window after the other, as a caller's runs would.
class Told {
 public:
  Contention::Window window() const { return {now_, Contention::kWindowMs, 0, 0, 0.0}; }
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
