#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <string>

#include "fovea/error.hpp"

namespace fovea::base {

/// Cache line, and what AVX-512 loads want.
inline constexpr std::size_t kAlignment = 64;

/// `bytes` rounded up to whole cache lines; sizes are bounded by element_count before they get
/// here.
inline constexpr std::size_t aligned_size(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// Uninitialised bytes for `free_aligned` with the same `bytes`; null where there are none.
std::byte* allocate_aligned(std::size_t bytes);
void free_aligned(std::byte* data, std::size_t bytes);

/// An owned, cache-line-aligned block of bytes. Not initialised. Large ones lie in huge pages where
/// the system hands them out on request: fewer misses of the TLB, and prefetchers, which stop at
/// the end of a page, run on.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;

  /// Throws Error(out_of_memory).
  explicit AlignedBuffer(std::size_t bytes) : size_(bytes) {
    if (bytes == 0) return;
    data_ = {allocate_aligned(bytes), Free{bytes}};
    if (!data_)
      throw Error(ErrorCode::out_of_memory, "cannot allocate " + std::to_string(bytes) + " bytes");
  }

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    std::size_t bytes;
    void operator()(std::byte* p) const { free_aligned(p, bytes); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace fovea::base
