#include "engine/memory.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace fovea::engine {
namespace {

using Order = std::vector<std::size_t>;  // buffers

/// Buffers that are placed by a search through all that were placed before. Those of a network have
/// room in it; what a graph of tens of thousands of nodes has beyond must not take the square of
/// their number.
constexpr std::size_t kMaxSearched = 4096;

std::size_t size_of(const Buffer& buffer) {
  return base::aligned_size(buffer.bytes);
}

/// Each at the lowest place that is free over its life. Returns the memory that they take.
std::size_t place_by_search(std::vector<Buffer>& buffers, std::span<const std::size_t> order) {
  std::size_t total = 0;
  Order placed;  // by offset
  for (const auto i : order) {
    auto& buffer = buffers[i];
    const std::size_t size = size_of(buffer);
    std::size_t offset = 0;
    for (const auto j : placed) {
      const auto& other = buffers[j];
      if (other.last < buffer.first || buffer.last < other.first) continue;
      if (other.offset >= offset + size) break;
      offset = std::max(offset, other.offset + size_of(other));
    }
    buffer.offset = offset;
    total = std::max(total, offset + size);
    const auto at = std::upper_bound(placed.begin(), placed.end(), i, [&](auto a, auto b) {
      return buffers[a].offset < buffers[b].offset;
    });
    placed.insert(at, i);
  }
  return total;
}

/// Memory that is handed out and taken back, as a heap does it.
class Heap {
 public:
  explicit Heap(std::size_t from) : end_(from) {}

  std::size_t take(std::size_t size) {
    if (size == 0) return 0;
    const auto fit = by_size_.lower_bound({size, 0});
    if (fit == by_size_.end()) return grow(size);
    const auto [held, offset] = *fit;
    remove(offset, held);
    if (held > size) add(offset + size, held - size);
    return offset;
  }

  void release(std::size_t offset, std::size_t size) {
    if (size == 0) return;
    auto next = free_.lower_bound(offset);
    if (next != free_.end() && offset + size == next->first) {
      const auto [at, more] = *next;
      remove(at, more);
      size += more;
    }
    if (auto before = free_.lower_bound(offset); before != free_.begin()) {
      const auto [at, more] = *--before;
      if (at + more == offset) {
        remove(at, more);
        offset = at;
        size += more;
      }
    }
    add(offset, size);
  }

  std::size_t end() const { return end_; }

 private:
  /// At the end, from where the free memory there begins.
  std::size_t grow(std::size_t size) {
    std::size_t offset = end_;
    if (!free_.empty()) {
      const auto [at, held] = *free_.rbegin();
      if (at + held == end_) {
        remove(at, held);
        offset = at;
      }
    }
    end_ = offset + size;
    return offset;
  }
  void add(std::size_t offset, std::size_t size) {
    free_.emplace(offset, size);
    by_size_.emplace(size, offset);
  }
  void remove(std::size_t offset, std::size_t size) {
    free_.erase(offset);
    by_size_.erase({size, offset});
  }

  std::size_t end_;
  std::map<std::size_t, std::size_t> free_;                // sizes by offset
  std::set<std::pair<std::size_t, std::size_t>> by_size_;  // and the other way round
};

/// One step after the other, from the offset `from` on. Returns where they end.
std::size_t place_in_turn(std::vector<Buffer>& buffers, std::span<const std::size_t> order,
                          std::size_t from) {
  Order starts(order.begin(), order.end()), ends = starts;
  std::stable_sort(starts.begin(), starts.end(),
                   [&](auto a, auto b) { return buffers[a].first < buffers[b].first; });
  std::stable_sort(ends.begin(), ends.end(),
                   [&](auto a, auto b) { return buffers[a].last < buffers[b].last; });
  Heap heap(from);
  auto ended = ends.begin();
  for (const auto i : starts) {
    auto& buffer = buffers[i];
    for (; buffers[*ended].last < buffer.first; ++ended)
      heap.release(buffers[*ended].offset, size_of(buffers[*ended]));
    buffer.offset = heap.take(size_of(buffer));
  }
  return heap.end();
}

}  // namespace

std::size_t plan_memory(std::vector<Buffer>& buffers, int last_step) {
  Order order;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].constant != nullptr || buffers[i].first < 0) continue;
    if (buffers[i].reference >= 0) continue;
    if (buffers[i].pinned) buffers[i].last = last_step;
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return buffers[a].bytes > buffers[b].bytes;
  });
  const std::span<const std::size_t> all(order);
  const auto searched = all.first(std::min(kMaxSearched, all.size()));
  const auto small = all.subspan(searched.size());
  const std::size_t large_end = place_by_search(buffers, searched);
  if (small.empty()) return large_end;
  const std::size_t apart = place_in_turn(buffers, small, large_end);
  // Small ones fit beside large ones, too: whichever takes less.
  std::vector<std::size_t> offsets;
  for (const auto i : all) offsets.push_back(buffers[i].offset);
  const std::size_t together = place_in_turn(buffers, all, 0);
  if (together <= apart) return together;
  for (std::size_t k = 0; k < all.size(); ++k) buffers[all[k]].offset = offsets[k];
  return apart;
}

}  // namespace fovea::engine
