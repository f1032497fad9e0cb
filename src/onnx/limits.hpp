#pragma once

#include <cstddef>
#include <cstdint>

/// What a file may ask for. Every refusal names the limit.
namespace fovea::onnx {

inline constexpr std::int64_t kOldestOpset = 6;
inline constexpr std::int64_t kNewestOpset = 28;
inline constexpr std::int64_t kOldestIr = 3;
inline constexpr std::int64_t kNewestIr = 14;

inline constexpr std::int64_t kMaxModelBytes = (std::int64_t{1} << 31) - 1;
inline constexpr int kMaxDepth = 64;  ///< messages within messages
/// Nodes, and initializers; nodes again once local functions are inlined.
inline constexpr std::size_t kMaxNodes = 100'000;
inline constexpr std::size_t kMaxInitializers = 100'000;
/// Sub-messages and strings in a file: two bytes of it may stand for one, which takes a hundred in
/// memory.
inline constexpr std::size_t kMaxFields = 4'000'000;
inline constexpr std::size_t kMaxNameBytes = 4096;
inline constexpr std::size_t kMaxFunctions = 10'000;
inline constexpr int kMaxCallDepth = 100;
/// All weights together, in memory.
inline constexpr std::int64_t kMaxWeightBytes = std::int64_t{16} << 30;
/// Data of a tensor from this on stays in its file until it is wanted.
inline constexpr std::int64_t kLargeBytes = 32 << 10;
/// Files that a model holds open for that; the large tensors of more are read at once.
inline constexpr std::size_t kMaxOpenFiles = 16;
/// Extents of windows, pads and the like; keeps every sum of a few of them far from overflow.
inline constexpr std::int64_t kMaxExtent = (std::int64_t{1} << 31) - 1;
inline constexpr std::size_t kMaxListed = 20;  ///< unsupported nodes named in one error

}  // namespace fovea::onnx
