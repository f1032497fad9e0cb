#include "base/budget.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "base/size.hpp"

namespace fovea::base {
namespace {

class Hoard final : public Spares {
 public:
  Hoard(Budget& budget, std::int64_t bytes) : budget_(budget), held_(budget, bytes, "a hoard") {
    budget_.add_spares(*this);
  }
  ~Hoard() { budget_.remove_spares(*this); }
  Hoard(const Hoard&) = delete;
  Hoard& operator=(const Hoard&) = delete;
  void drop_spares() override {
    held_.release();
    ++asked;
  }
  int asked = 0;

 private:
  Budget& budget_;
  Reservation held_;
};

std::string refusal_of(Budget& budget, std::int64_t bytes) {
  try {
    const Reservation refused(budget, bytes, "a map");
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
    return error.what();
  }
}

TEST(Budget, HandsOutWhatThereIsAndTakesItBack) {
  Budget budget(100);
  {
    Reservation a(budget, 60, "a");
    Reservation b(budget, 40, "b");
    EXPECT_EQ(budget.taken(), 100);
    const auto sentence = refusal_of(budget, 1);
    for (const auto* part : {"a map", " 1 ", "100", "memory_limit"})
      EXPECT_NE(sentence.find(part), std::string::npos) << sentence;
    a = std::move(b);
    EXPECT_EQ(budget.taken(), 40);
    a.add(10, "more");
    EXPECT_EQ(a.bytes(), 50);
    const Reservation moved = std::move(a);
    EXPECT_EQ(budget.taken(), 50);
  }
  EXPECT_EQ(budget.taken(), 0);
  EXPECT_NE(refusal_of(budget, std::numeric_limits<std::int64_t>::max()), "");
  Reservation kept(budget, 7, "kept");
  kept.keep();
  kept.release();
  EXPECT_EQ(budget.taken(), 7);
}

TEST(Budget, DropsSparesOnlyWhereItMust) {
  Budget budget(100);
  Hoard first(budget, 30), second(budget, 50);
  { const Reservation fits(budget, 20, "a"); }
  EXPECT_EQ(first.asked + second.asked, 0);
  { const Reservation one(budget, 40, "b"); }
  EXPECT_EQ(first.asked, 1);
  EXPECT_EQ(second.asked, 0);
  EXPECT_NE(refusal_of(budget, 101), "");
  EXPECT_EQ(second.asked, 1);
  EXPECT_EQ(budget.taken(), 0);
}

TEST(Budget, IsNeverExceededByManyThreads) {
  Budget budget(1000);
  std::vector<std::jthread> threads;
  std::atomic<std::int64_t> most = 0, refused = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20000; ++i) try {
          const Reservation one(budget, 1 + i % 400, "one");
          const auto now = budget.taken();
          if (now > most) most = now;
        } catch (const Error&) {
          ++refused;
        }
    });
  threads.clear();
  EXPECT_LE(most, 1000);
  EXPECT_EQ(budget.taken(), 0);
}

TEST(Sizes, ThatDoNotFitAreRefused) {
  const Size large = std::numeric_limits<std::int64_t>::max() / 2;
  EXPECT_EQ((large + large).n, large.n * 2);
  for (const auto& work : std::vector<std::function<Size()>>{
           [&] { return large * Size(3); }, [&] { return large + large + Size(2); },
           [&] { return Size(-1) * Size(1); }})
    try {
      work();
      ADD_FAILURE() << "a size wrapped round";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
    }
}

}  // namespace
}  // namespace fovea::base
