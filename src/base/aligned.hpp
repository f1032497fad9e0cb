#pragma once

#include <cstddef>
#include <cstdlib>
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

/// An owned, cache-line-aligned block of bytes. Not initialised.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;

  /// Throws Error(out_of_memory).
  explicit AlignedBuffer(std::size_t bytes) : size_(bytes) {
    if (bytes == 0) return;
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, aligned_size(bytes))));
    if (!data_)
      throw Error(ErrorCode::out_of_memory, "cannot allocate " + std::to_string(bytes) + " bytes");
  }

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace fovea::base
