#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "fovea/model.hpp"

namespace fovea::onnx {

/// f16 by its bits: exact, NaN payloads kept.
float from_half(std::uint16_t half);
float from_bfloat(std::uint16_t bits);

/// Little-endian elements of a float type, at any address, as f32.
void to_floats(DataType type, std::span<const std::byte> bytes, std::span<float> out);

}  // namespace fovea::onnx
