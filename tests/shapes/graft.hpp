#pragma once

#include <string>

#include "onnx_subset.pb.h"
#include "shapes/draw.hpp"

namespace fovea::shapes_test {

/// Puts one or two operators between a value and whatever reads it, which most often leaves the
/// model valid: extents moved, joined, dropped and brought back, among them the first. Says what.
std::string graft(fovea_onnx::ModelProto& model, Draw& draw);

}  // namespace fovea::shapes_test
