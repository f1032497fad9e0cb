#include "base/cpu.hpp"

#include <cpuid.h>
#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace fovea::base {

std::string cpu_name() {
  constexpr unsigned kBrand = 0x80000002;  // and the two after it: 16 characters each
  std::array<unsigned, 4> part{};
  std::string name;
  for (unsigned leaf = kBrand; leaf < kBrand + 3; ++leaf) {
    if (__get_cpuid(leaf, &part[0], &part[1], &part[2], &part[3]) == 0) break;
    std::array<char, sizeof(part)> text{};
    std::memcpy(text.data(), part.data(), sizeof(part));
    name.append(text.data(), text.size());
  }
  name.resize(std::min(name.find('\0'), name.size()));  // padded with zeros
  while (!name.empty() && name.back() == ' ') name.pop_back();
  while (!name.empty() && name.front() == ' ') name.erase(0, 1);
  if (__get_cpuid(1, &part[0], &part[1], &part[2], &part[3]) != 0)
    name += " (signature " + std::to_string(part[0]) + ")";
  return name;
}

void drop_from_caches(std::span<const std::byte> bytes) {
  constexpr std::size_t kLine = 64;
  for (std::size_t i = 0; i < bytes.size(); i += kLine) _mm_clflush(bytes.data() + i);
  _mm_mfence();
}

}  // namespace fovea::base
