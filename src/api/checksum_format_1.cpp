#include "api/checksum_format_1.hpp"

#include <array>
#include <cstring>

namespace fovea::api {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::array<std::uint64_t, 4> kOdd = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9,
                                               0x94d049bb133111eb, 0xd6e8feb86659fd93};

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word(const std::byte* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

}  // namespace

std::uint64_t checksum_format_1(std::span<const std::byte> bytes, std::uint64_t seed) {
  std::array<std::uint64_t, 4> chain{};
  for (std::size_t i = 0; i < chain.size(); ++i)
    chain[i] = mix(seed ^ kOdd[i], kOdd[(i + 1) % chain.size()]);
  constexpr std::size_t kStep = 64;
  const auto* at = bytes.data();
  auto left = bytes.size();
  const auto step = [&](const std::byte* from) {
    for (std::size_t i = 0; i < chain.size(); ++i)
      chain[i] = mix(chain[i] ^ word(from + 16 * i), kOdd[i] ^ word(from + 16 * i + 8));
  };
  for (; left >= kStep; left -= kStep, at += kStep) step(at);
  std::array<std::byte, kStep> tail{};
  if (left > 0) {
    std::memcpy(tail.data(), at, left);
    step(tail.data());
  }
  auto sum = mix(bytes.size() ^ kOdd[0], seed ^ kOdd[1]);
  for (const auto c : chain) sum = mix(sum ^ c, kOdd[2]);
  return sum;
}

}  // namespace fovea::api
