#pragma once

#include <cstddef>
#include <span>

namespace fovea::onnx {

/// Walks the messages of an ONNX file without building anything, so that what is not a model, is
/// cut short or asks for too much is told apart and refused before memory is spent on it. Throws
/// Error bad_model. Cost: reads the field headers only.
void check_wire(std::span<const std::byte> bytes);

}  // namespace fovea::onnx
