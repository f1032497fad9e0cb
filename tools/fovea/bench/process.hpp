#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What the system says about this process.
namespace fovea::cli {

/// Megabytes (10^6 bytes); none where the system does not say.
std::optional<double> resident_memory();
std::optional<double> peak_memory();
/// A field of /proc/PID/status that counts kB, like "VmHWM".
std::optional<double> memory_field(std::string_view status, std::string_view field);

/// What the processor calls itself; empty where the system does not say.
std::string cpu_name();

/// An environment variable; "default" where it is not set.
std::string variable_or_default(const char* name);

}  // namespace fovea::cli
