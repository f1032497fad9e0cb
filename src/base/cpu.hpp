#pragma once

#include <string>

namespace fovea::base {

/// The processor's own name for itself ("Intel(R) Xeon(R) Processor"), with family, model and
/// stepping, which tell apart what hypervisors name alike.
std::string cpu_name();

}  // namespace fovea::base
