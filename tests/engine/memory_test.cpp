#include "engine/memory.hpp"

#include <gtest/gtest.h>

#include <random>

namespace fovea::engine {
namespace {

std::vector<Buffer> random_buffers(std::size_t count, int steps, int life, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Buffer> out(count);
  for (auto& buffer : out) {
    buffer.bytes = random() % 5 == 0 ? 0 : random() % 10'000;
    buffer.first = static_cast<int>(random() % static_cast<unsigned>(steps));
    buffer.last =
        std::min(steps, buffer.first + static_cast<int>(random() % static_cast<unsigned>(life)));
    buffer.pinned = random() % 100 == 0;
  }
  return out;
}

/// No two that live at the same time share a byte; every one lies in the arena.
void check(const std::vector<Buffer>& buffers, std::size_t arena) {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const auto& a = buffers[i];
    ASSERT_LE(a.offset + a.bytes, arena);
    ASSERT_EQ(a.offset % base::kAlignment, 0u);
    for (std::size_t j = 0; j < i; ++j) {
      const auto& b = buffers[j];
      const bool together = a.first <= b.last && b.first <= a.last;
      const bool apart = a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
      ASSERT_TRUE(!together || apart) << i << " and " << j;
    }
  }
}

/// What is alive at once at the worst moment: no arena is smaller.
std::size_t least(const std::vector<Buffer>& buffers, int steps) {
  std::size_t most = 0;
  std::vector<std::int64_t> change(static_cast<std::size_t>(steps) + 2, 0);
  for (const auto& buffer : buffers) {
    const auto size = static_cast<std::int64_t>(base::aligned_size(buffer.bytes));
    change[static_cast<std::size_t>(buffer.first)] += size;
    change[static_cast<std::size_t>(buffer.last) + 1] -= size;
  }
  std::int64_t now = 0;
  for (const auto c : change) {
    now += c;
    most = std::max(most, static_cast<std::size_t>(now));
  }
  return most;
}

TEST(PlanMemory, KeepsApartWhatLivesTogether) {
  for (const std::size_t count : {1u, 40u, 3000u, 4097u, 9000u})
    for (const int life : {3, 200}) {
      const int steps = static_cast<int>(count);
      auto buffers = random_buffers(count, steps, life, static_cast<unsigned>(count));
      const auto arena = plan_memory(buffers, steps);
      check(buffers, arena);
      EXPECT_LE(arena, least(buffers, steps) * 3 / 2 + base::kAlignment) << count << " " << life;
    }
}

TEST(PlanMemory, AChainOfAnyLengthTakesTwoMaps) {
  for (const std::size_t count : {10u, 20'000u}) {
    std::vector<Buffer> buffers(count);
    for (std::size_t i = 0; i < count; ++i) {
      buffers[i].bytes = 4096;
      buffers[i].first = static_cast<int>(i);
      buffers[i].last = static_cast<int>(i) + 1;
    }
    EXPECT_EQ(plan_memory(buffers, static_cast<int>(count)), 2u * 4096);
  }
}

}  // namespace
}  // namespace fovea::engine
