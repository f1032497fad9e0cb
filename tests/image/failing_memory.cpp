#include "image/failing_memory.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local int left = -1;

}  // namespace

void* operator new(std::size_t size) {
  if (left >= 0 && left-- == 0) throw std::bad_alloc();
  if (void* out = std::malloc(size == 0 ? 1 : size)) return out;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

void fovea::image::test::fail_allocation(int number) {
  left = number;
}
