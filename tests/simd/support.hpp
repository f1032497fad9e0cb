#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "simd/kernels.hpp"

namespace fovea::simd::test {

using i64 = std::int64_t;
using u8 = std::uint8_t;

/// n values that end where a page without access begins: a kernel that reads or writes behind them
/// crashes the test. What lies before them is a pattern that intact() checks. The values start at
/// whatever alignment n leaves them.
template <class T>
class Fenced {
 public:
  explicit Fenced(i64 n) : size_(static_cast<std::size_t>(n)) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = size_ * sizeof(T);
    lead_ = (bytes + kFence + page - 1) / page * page;
    total_ = lead_ + page;
    void* memory =
        mmap(nullptr, total_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<std::byte*>(memory);
    mprotect(base_ + lead_, page, PROT_NONE);
    std::memset(base_, kPattern, lead_);
  }
  explicit Fenced(std::span<const T> values) : Fenced(static_cast<i64>(values.size())) {
    if (!values.empty()) std::memcpy(data(), values.data(), values.size_bytes());
  }
  ~Fenced() { munmap(base_, total_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;

  T* data() { return reinterpret_cast<T*>(base_ + lead_ - size_ * sizeof(T)); }
  i64 size() const { return static_cast<i64>(size_); }
  T& operator[](i64 i) { return data()[i]; }
  std::vector<T> copy() { return std::vector<T>(data(), data() + size_); }

  bool intact() const {
    const std::byte* end = base_ + lead_ - size_ * sizeof(T);
    for (const std::byte* p = base_; p < end; ++p)
      if (*p != std::byte{kPattern}) return false;
    return true;
  }

 private:
  static constexpr std::size_t kFence = 256;
  static constexpr unsigned char kPattern = 0xA5;
  std::size_t size_;
  std::size_t lead_ = 0;
  std::size_t total_ = 0;
  std::byte* base_ = nullptr;
};

inline std::vector<float> random_floats(i64 n, float low, float high, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> distribution(low, high);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& v : values) v = distribution(generator);
  return values;
}

inline std::vector<u8> random_bytes(i64 n, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::vector<u8> values(static_cast<std::size_t>(n));
  for (u8& v : values) v = static_cast<u8>(generator() >> 11);
  return values;
}

/// Lengths around every register width, and some that are none's multiple.
inline const std::vector<i64> kLengths = {0,  1,  2,  3,  4,  5,  7,  8,   9,    15,  16,
                                          17, 31, 32, 33, 63, 64, 65, 100, 1000, 1023};

/// The fixture of every kernel test: one run per instruction set.
class SimdTest : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    table_ = kernels(GetParam());
    if (table_ == nullptr) GTEST_SKIP() << "this CPU lacks " << to_string(GetParam());
  }
  const Kernels& k() const { return *table_; }

 private:
  const Kernels* table_ = nullptr;
};

inline std::string isa_name(const testing::TestParamInfo<Isa>& info) {
  return to_string(info.param);
}

}  // namespace fovea::simd::test

#define FOVEA_SIMD_SUITE(Suite)                                                                \
  INSTANTIATE_TEST_SUITE_P(Isa, Suite, testing::Values(Isa::baseline, Isa::avx2, Isa::avx512), \
                           isa_name)
