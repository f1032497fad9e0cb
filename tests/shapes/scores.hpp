#pragma once

#include <map>
#include <optional>
#include <string>

#include "fovea/tensor.hpp"

namespace fovea::shapes_test {

/// What a model yields, in double, operator by operator from its definition: its f32 outputs by
/// name. None where the reference does not have one of the operators.
std::optional<std::map<std::string, Tensor>> reference_outputs(
    const std::string& bytes, const std::map<std::string, Tensor>& feeds);

}  // namespace fovea::shapes_test
