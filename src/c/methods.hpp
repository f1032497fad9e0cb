#pragma once

#include <string>
#include <vector>

#include "fovea/method_info.hpp"

namespace fovea::c {

/// The registry, read once. Allocates the first time.
const std::vector<MethodInfo>& all_methods();

/// Null where there is none of this name.
const MethodInfo* find_method(const std::string& name);

/// Is the method defined on a class's probability?
bool is_of_probability(const std::string& method);

}  // namespace fovea::c
