#include <gtest/gtest.h>

#include "api/support.hpp"
#include "engine/counting_allocator.hpp"

/// A call asks the heap for what it hands out and a few rows beside it: as many pieces each time,
/// and none per step of the network (tests/engine).
namespace fovea::api_test {
namespace {

constexpr std::size_t kMax = 104;

TEST(CallsAllocations, AreFewAndTheSameEachTime) {
  for (const std::string name : {"vgg", "densenet", "efficientnet"}) {
    const Explainer explainer(Model::load(golden_model(name)));
    const Tensor input = random_input(explainer, 1);
    for (int i = 0; i < 3; ++i) explainer.explain(input);
    std::vector<std::size_t> forward, both;
    for (int i = 0; i < 3; ++i) {
      engine_test::AllocationCount count;
      { const fovea::Run run = explainer.forward(input); }
      forward.push_back(count.stop().own);
      engine_test::AllocationCount again;
      { const Explanation why = explainer.explain(input); }
      both.push_back(again.stop().own);
    }
    for (std::size_t i = 0; i < forward.size(); ++i) {
      EXPECT_EQ(forward[i], forward[0]) << name;
      EXPECT_EQ(both[i], both[0]) << name;
    }
    EXPECT_GT(forward[0], 0U) << name;
    EXPECT_GT(both[0], forward[0]) << name;
    EXPECT_LE(both[0], kMax) << name;
  }
}

}  // namespace
}  // namespace fovea::api_test
