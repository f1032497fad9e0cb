#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace fovea::base {

/// The processor's own name for itself ("Intel(R) Xeon(R) Processor"), with family, model and
/// stepping, which tell apart what hypervisors name alike.
std::string cpu_name();

/// Puts the cache lines of these bytes out of every cache: who reads them next waits for memory.
void drop_from_caches(std::span<const std::byte> bytes);

}  // namespace fovea::base
