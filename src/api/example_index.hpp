#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fovea/examples.hpp"

namespace fovea {
namespace api {

inline constexpr std::int64_t kMaxChannels = std::int64_t{1} << 24;
inline constexpr std::size_t kLongestText = std::size_t{1} << 20;

/// Values from one row to the next: whole cache lines.
constexpr std::int64_t row_stride(std::int64_t channels) {
  constexpr std::int64_t kValues = 32;
  return (channels + kValues - 1) / kValues * kValues;
}

struct ExampleEntry {
  std::string name, label, digest;
};

}  // namespace api

struct ExampleIndex::Impl {
  ExampleOrigin origin;
  std::int64_t channels = 0;
  std::int64_t stride = 0;
  std::vector<api::ExampleEntry> entries;
  /// [entries, stride], bf16: each row over a power of two that makes its largest value near 1;
  /// what pads a row is zero.
  std::vector<std::uint16_t> rows;

  /// Throws Error invalid_argument.
  void set_channels(std::int64_t count);
  const api::ExampleEntry& at(std::int64_t index) const;
};

}  // namespace fovea
