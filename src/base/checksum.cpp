#include "base/checksum.hpp"

#include <xxh_x86dispatch.h>

#include <array>

namespace fovea::base {
namespace {

// Long enough that the library chooses an implementation for this CPU.
std::uint64_t choose() {
  constexpr std::array<char, 512> long_enough{};
  return XXH3_64bits_withSeed(long_enough.data(), long_enough.size(), 0);
}

}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed) {
  // It keeps its choice without a lock, so one thread makes it.
  [[maybe_unused]] static const auto chosen = choose();
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace fovea::base
