// Constants that are here, and those that are made when they are asked for.
#include <atomic>
#include <thread>

#include "graph/infer.hpp"
#include "support.hpp"

namespace fovea::graph::test {
namespace {

/// 0.5, 1.5, 2.5 ...; counts how often it is read.
class Counted : public Deferred {
 public:
  explicit Counted(std::int64_t count) : Deferred(count, 77) {}
  void read(std::int64_t first, std::span<float> out) const override {
    ++reads;
    for (auto& v : out) v = static_cast<float>(first++) + 0.5f;
  }
  mutable std::atomic<int> reads = 0;
};

TEST(Constant, DeferredDataIsSharedWhileItIsHeldAndThenDropped) {
  const auto source = std::make_shared<const Counted>(6);
  const auto constant = Constant::of_deferred({2, 3}, source);
  EXPECT_EQ(constant.size(), 6U);
  EXPECT_EQ(source->reads, 0);
  {
    const auto a = constant.floats();
    const auto b = Constant(constant).floats();
    EXPECT_EQ(a.data.data(), b.data.data());
    EXPECT_EQ(a[5], 5.5f);
    EXPECT_EQ(source->reads, 1);
  }
  EXPECT_EQ(constant.floats().front(), 0.5f);
  EXPECT_EQ(source->reads, 2);
}

TEST(Constant, ManyThreadsLoadOnce) {
  const auto source = std::make_shared<const Counted>(1000);
  const auto constant = Constant::of_deferred({1000}, source);
  std::vector<Floats> got(8);
  std::vector<std::thread> threads;
  for (auto& one : got) threads.emplace_back([&] { one = constant.floats(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(source->reads, 1);
  for (const auto& one : got) EXPECT_EQ(one.data.data(), got[0].data.data());
}

TEST(Constant, PartsAreReadWithoutTheRest) {
  const auto deferred = Constant::of_deferred({6}, std::make_shared<const Counted>(6));
  const auto held = Constant::of_floats({6}, {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f});
  for (const auto& constant : {deferred, held}) {
    std::vector<float> part(2);
    constant.read(3, part);
    EXPECT_EQ(part, (std::vector<float>{3.5f, 4.5f}));
  }
}

TEST(Constant, IdentityTellsDataApart) {
  const auto a = Constant::of_floats({2}, {1, 2});
  EXPECT_EQ(a.identity(), Constant::of_floats({2, 1}, {1, 2}).identity());
  EXPECT_NE(a.identity(), Constant::of_floats({2}, {1, 3}).identity());
  EXPECT_EQ(Constant::of_deferred({1}, std::make_shared<const Counted>(1)).identity(), 77U);
}

TEST(Constant, DeferredDataTakesPartInEvaluation) {
  const auto source = std::make_shared<const Counted>(6);
  Builder b;
  const auto x = b.graph.add_constant("x", Constant::of_deferred({2, 3}, source));
  const auto view = b.op("view", Reshape{}, {x, b.ints("s", {3, 2})});
  const auto rows = b.op("rows", Gather{}, {x, b.ints("i", {1, 0, 1})});
  const auto turned = b.op("turned", Transpose{}, {x});
  b.output(b.op("y", Concat{}, {rows, b.input("in", {1, 3})}));
  b.bound();
  EXPECT_EQ(source->reads, 2) << "once per node that copies, none for a view";
  ASSERT_TRUE(b.value(view).constant);
  EXPECT_EQ(b.value(view).constant->deferred(), source.get());
  EXPECT_EQ(floats_of(b.graph, rows),
            (std::vector<float>{3.5f, 4.5f, 5.5f, 0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f}));
  EXPECT_EQ(floats_of(b.graph, turned), (std::vector<float>{0.5f, 3.5f, 1.5f, 4.5f, 2.5f, 5.5f}));
}

}  // namespace
}  // namespace fovea::graph::test
