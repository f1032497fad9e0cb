#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace fovea::api {

/// The checksum of index files of format 1, which are read and no longer written.
std::uint64_t checksum_format_1(std::span<const std::byte> bytes, std::uint64_t seed);

}  // namespace fovea::api
