#include "api/thread_choice.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace fovea::api {
namespace {

/// Calls one after the other, each of which takes what its threads do.
class Calls {
 public:
  explicit Calls(int own) : own_(own) {}
  std::function<double(int)> ms = [](int threads) { return 10. / threads; };
  bool trouble = true;

  int call() {
    const int threads = choice.next(now_, own_, trouble);
    const double took = ms(threads);
    now_ += took;
    choice.tell(now_, threads, took);
    return threads;
  }
  /// The number of the last call.
  int pass(double time) {
    int last = 0;
    for (const double end = now_ + time; now_ < end;) last = call();
    return last;
  }
  /// How many of the calls in that time took other threads than `usual`.
  int others(double time, int usual) {
    int out = 0;
    for (const double end = now_ + time; now_ < end;) out += call() != usual ? 1 : 0;
    return out;
  }
  void wait(double time) { now_ += time; }

  ThreadChoice choice;

 private:
  int own_;
  double now_ = 5000;
};

TEST(ThreadChoice, WithoutTroubleItIsTheExplainersOwn) {
  Calls calls(2);
  calls.trouble = false;
  EXPECT_EQ(calls.others(20000, 2), 0);
}

TEST(ThreadChoice, NothingIsTriedAtFirst) {
  Calls calls(2);
  EXPECT_EQ(calls.others(ThreadChoice::kFirstMs - 50, 2), 0);
  EXPECT_GT(calls.others(1000, 2), 0);
}

TEST(ThreadChoice, FewerAreKeptWhereTheyAreFaster) {
  Calls calls(8);
  calls.ms = [](int threads) { return threads > 1 ? 10. + threads : 7.; };
  EXPECT_EQ(calls.pass(10000), 1);
}

TEST(ThreadChoice, TheBestInBetweenIsKept) {
  Calls calls(8);
  calls.ms = [](int threads) { return threads == 4 ? 10. : 20.; };
  calls.pass(10000);
  EXPECT_LE(calls.others(60000, 4), 60000 / 20 / 10);
  EXPECT_EQ(calls.pass(100), 4);
}

TEST(ThreadChoice, AsManyStayWhereFewerAreSlowerAndTrialsGetSeldom) {
  Calls calls(2);
  calls.pass(10000);
  const auto trials = calls.others(200000, 2) / static_cast<int>(ThreadChoice::kCalls);
  EXPECT_GE(trials, 2);
  EXPECT_LE(trials, 8);
}

TEST(ThreadChoice, MoreAreTakenAgainOnceTheyAreFaster) {
  Calls calls(4);
  calls.ms = [](int threads) { return threads == 1 ? 7. : 20.; };
  EXPECT_EQ(calls.pass(10000), 1);
  calls.ms = [](int threads) { return 20. / threads; };
  calls.pass(200000);
  EXPECT_LE(calls.others(10000, 4), 10000 / 5 / 10);
}

TEST(ThreadChoice, CalmGivesAllBackAndTheSameTroubleIsKnown) {
  Calls calls(2);
  calls.ms = [](int threads) { return threads == 1 ? 7. : 20.; };
  EXPECT_EQ(calls.pass(10000), 1);
  calls.trouble = false;
  EXPECT_EQ(calls.call(), 2);
  calls.trouble = true;
  EXPECT_EQ(calls.call(), 1);
  calls.trouble = false;
  calls.call();
  calls.wait(60000);
  calls.trouble = true;
  EXPECT_EQ(calls.others(ThreadChoice::kFirstMs - 50, 2), 0);
}

TEST(ThreadChoice, CallsFarApartTryNothing) {
  Calls calls(2);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(calls.call(), 2);
    calls.wait(2000);
  }
}

TEST(ThreadChoice, WhatCannotBeHadIsNotTriedAgain) {
  Calls calls(2);
  calls.pass(ThreadChoice::kFirstMs - 50);
  calls.choice.never(1);
  EXPECT_EQ(calls.others(100000, 2), 0);
}

}  // namespace
}  // namespace fovea::api
