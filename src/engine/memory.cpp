#include "engine/memory.hpp"

#include <algorithm>
#include <numeric>

namespace fovea::engine {

std::size_t plan_memory(std::vector<Buffer>& buffers, int last_step) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].constant != nullptr || buffers[i].first < 0) continue;
    if (buffers[i].reference >= 0) continue;
    if (buffers[i].pinned) buffers[i].last = last_step;
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return buffers[a].bytes > buffers[b].bytes;
  });
  std::size_t arena = 0;
  std::vector<std::size_t> placed;
  for (const auto i : order) {
    auto& buffer = buffers[i];
    std::vector<std::pair<std::size_t, std::size_t>> taken;
    for (const auto j : placed) {
      const auto& other = buffers[j];
      if (other.last < buffer.first || buffer.last < other.first) continue;
      taken.emplace_back(other.offset, other.offset + base::aligned_size(other.bytes));
    }
    std::sort(taken.begin(), taken.end());
    std::size_t offset = 0;
    const std::size_t size = base::aligned_size(buffer.bytes);
    for (const auto& [begin, end] : taken) {
      if (begin >= offset + size) break;
      offset = std::max(offset, end);
    }
    buffer.offset = offset;
    arena = std::max(arena, offset + size);
    placed.push_back(i);
  }
  return arena;
}

}  // namespace fovea::engine
