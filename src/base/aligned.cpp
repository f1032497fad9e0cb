#include "base/aligned.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>

namespace fovea::base {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;  // of x86-64

#ifdef __SANITIZE_ADDRESS__
constexpr bool kMaps = false;  // it watches what malloc hands out
#else
constexpr bool kMaps = true;
#endif

/// A mapping of its own that begins with a huge page, and goes back to the system as a whole:
/// malloc would leave gaps between such pages, and keep them. Null where there is no memory.
void* map_aligned(std::size_t bytes) {
  void* wide =
      mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (wide == MAP_FAILED) return nullptr;
  auto* begin = static_cast<std::byte*>(wide);
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(begin) % kHugePage;
  if (before != 0) munmap(begin, before);
  munmap(begin + before + bytes, kHugePage - before);
  begin += before;
  (void)madvise(begin, bytes, MADV_HUGEPAGE);  // a request, which a system may know nothing of
  return begin;
}

bool is_mapped(std::size_t bytes) {
  return kMaps && bytes >= kHugePage;
}

std::size_t whole_pages(std::size_t bytes) {
  constexpr std::size_t kPage = 4096;
  return (bytes + kPage - 1) / kPage * kPage;
}

}  // namespace

std::byte* allocate_aligned(std::size_t bytes) {
  return static_cast<std::byte*>(is_mapped(bytes)
                                     ? map_aligned(whole_pages(bytes))
                                     : std::aligned_alloc(kAlignment, aligned_size(bytes)));
}

void free_aligned(std::byte* data, std::size_t bytes) {
  if (is_mapped(bytes))
    munmap(data, whole_pages(bytes));
  else
    std::free(data);
}

}  // namespace fovea::base
