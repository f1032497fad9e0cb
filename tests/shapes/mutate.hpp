#pragma once

#include <string>

#include "shapes/draw.hpp"

namespace fovea::shapes_test {

/// A model with one to three of its fields changed: attributes, extents, data, types, wiring,
/// operators, versions, names. `told` says how.
std::string mutated(const std::string& model, Draw& draw, std::string& told);

}  // namespace fovea::shapes_test
