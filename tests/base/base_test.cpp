#include <gtest/gtest.h>
#include <immintrin.h>
#include <omp.h>
#include <unistd.h>

#include <atomic>
#include <limits>
#include <mutex>
#include <set>
#include <vector>

#include "base/aligned.hpp"
#include "base/checked.hpp"
#include "base/checksum.hpp"
#include "base/cpu.hpp"
#include "base/parallel.hpp"

namespace fovea::base {
namespace {

TEST(Error, OneLineWithSentenceAndContext) {
  const Error error(ErrorCode::bad_model, "no such tensor", {"m.onnx", "conv1", "Conv"});
  EXPECT_STREQ(error.what(), "no such tensor (file m.onnx, node conv1, op Conv)");
  EXPECT_EQ(error.code(), ErrorCode::bad_model);
}

TEST(Error, ContextIsFilledNotOverwritten) {
  const Error inner(ErrorCode::bad_model, "bad pads", {"", "conv1", ""});
  const Error outer = inner.with({"m.onnx", "other", "Conv"});
  EXPECT_EQ(outer.context().file, "m.onnx");
  EXPECT_EQ(outer.context().node, "conv1");
}

TEST(Error, HostileNamesStayOnOneBoundedLine) {
  const Error error(ErrorCode::bad_model, "x", {"", std::string(100000, 'a') + "\n", ""});
  const std::string what = error.what();
  EXPECT_LT(what.size(), 400u);
  EXPECT_EQ(Error(ErrorCode::bad_model, "x", {"", "a\nb", ""}).what(), std::string("x (node a?b)"));
}

TEST(Checksum, IsThatOfXxh3) {
  // Of no bytes, as xxHash's own test vectors have it: files hold such sums.
  EXPECT_EQ(checksum({}), 0x2d06800538d394c2u);
}

TEST(Checksum, EveryByteLengthAndSeedCounts) {
  // Lengths that XXH3 takes in different ways, and zeros, which padding could be taken for.
  std::set<std::uint64_t> seen;
  std::size_t asked = 0;
  const auto ask = [&](std::span<const std::byte> bytes, std::uint64_t seed) {
    ++asked;
    seen.insert(checksum(bytes, seed));
  };
  for (std::size_t size = 0; size < 300; ++size) {
    std::vector<std::byte> bytes(size);
    ask(bytes, 0);
    ask(bytes, 1);
    for (auto& byte : bytes) {
      byte = std::byte{1};
      ask(bytes, 0);
      byte = std::byte{0};
    }
    EXPECT_EQ(checksum(bytes), checksum(std::vector<std::byte>(size)));
  }
  EXPECT_EQ(seen.size(), asked);
}

TEST(Checked, ProductsThatDoNotFitThrow) {
  const auto big = std::numeric_limits<std::int64_t>::max() / 2;
  EXPECT_THROW(checked_mul(big, 3), Error);
  EXPECT_THROW(checked_mul(-1, 3), Error);
  EXPECT_THROW(element_count(std::vector<std::int64_t>{1 << 20, 1 << 20}), Error);
  EXPECT_THROW(element_count(std::vector<std::int64_t>(9, 1)), Error);
  EXPECT_THROW(element_count(std::vector<std::int64_t>{-1}), Error);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{2, 0, 3}), 0);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{}), 1);
}

TEST(AlignedBuffer, IsAlignedToACacheLine) {
  const AlignedBuffer buffer(100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % kAlignment, 0u);
  EXPECT_EQ(buffer.size(), 100u);
}

TEST(AlignedBuffer, LargeOnesBeginWithAPageOfTheLargeKind) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer hands out the memory";
#endif
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  AlignedBuffer buffer(kHugePage + 1);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % kHugePage, 0u);
  buffer.data()[0] = buffer.data()[kHugePage] = std::byte{1};
  EXPECT_EQ(buffer.size(), kHugePage + 1);
}

TEST(AlignedBuffer, WhatMemoryCannotHoldIsRefused) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer ends the process";
#endif
  try {
    const AlignedBuffer buffer(std::numeric_limits<std::size_t>::max() / 4);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
  }
}

TEST(DropFromCaches, LeavesTheBytesAsTheyAre) {
  AlignedBuffer buffer(1000);
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer.data()[i] = static_cast<std::byte>(i);
  drop_from_caches({buffer.data(), buffer.size()});
  for (std::size_t i = 0; i < buffer.size(); ++i)
    ASSERT_EQ(buffer.data()[i], static_cast<std::byte>(i)) << i;
}

TEST(ParallelFor, VisitsEveryIndexOnce) {
  std::vector<int> seen(1001, 0);
  parallel_for(1001, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
  });
  for (const int n : seen) EXPECT_EQ(n, 1);
}

TEST(ParallelFor, ThrowsWhatAPieceThrew) {
  const auto body = [](std::int64_t begin, std::int64_t) {
    if (begin > 0) throw Error(ErrorCode::bad_input, "the second piece failed");
  };
  const ThreadScope scope(2);
  EXPECT_THROW(parallel_for(100, 1, body), Error);
}

TEST(ParallelFor, KeepsItsThreadsWhateverThePieces) {
  const ThreadScope scope(4);
  std::mutex mutex;
  std::set<pid_t> threads;
  const auto record = [&](std::int64_t, std::int64_t) {
    const std::lock_guard lock(mutex);
    threads.insert(::gettid());
  };
  for (int i = 0; i < 20; ++i)
    for (const std::int64_t n : {4, 2, 3, 1, 100}) parallel_for(n, 1, record);
  EXPECT_EQ(threads.size(), 4U);
}

TEST(ParallelFor, UsesNoMoreThreadsThanThereAreGrains) {
  const ThreadScope scope(4);
  std::atomic<int> pieces{0}, items{0};
  const auto count = [&](std::int64_t begin, std::int64_t end) {
    ++pieces;
    items += static_cast<int>(end - begin);
  };
  parallel_for(25, 10, count);
  EXPECT_EQ(pieces.load(), 2);
  EXPECT_EQ(items.load(), 25);
}

TEST(ThreadScope, FlushesDenormalsInEveryThreadAndGivesBackTheCallersSettings) {
  omp_set_num_threads(2);
  omp_set_dynamic(1);
  const unsigned before = _mm_getcsr();
  {
    const ThreadScope scope(3);
    EXPECT_EQ(max_threads(), 3);
    std::atomic<int> flushing{0};
#pragma omp parallel num_threads(3)
    if ((_mm_getcsr() & 0x8040) == 0x8040) ++flushing;
    EXPECT_EQ(flushing.load(), 3);
  }
  EXPECT_EQ(omp_get_max_threads(), 2);
  EXPECT_EQ(omp_get_dynamic(), 1);
  EXPECT_EQ(_mm_getcsr(), before);
  omp_set_dynamic(0);
}

}  // namespace
}  // namespace fovea::base
