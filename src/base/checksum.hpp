#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace fovea::base {

/// XXH3: 64 bits that differ, but for chance, where the bytes (or the seeds) differ, and that are
/// the same on every machine, so that files may hold them. Made to notice accidents, not to
/// withstand somebody who looks for two of the same. Cost: a fraction of copying the bytes.
std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed = 0);

}  // namespace fovea::base
