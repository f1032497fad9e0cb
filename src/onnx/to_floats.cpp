#include "onnx/to_floats.hpp"

#include <bit>
#include <cstring>

namespace fovea::onnx {
namespace {

template <class From, class Convert>
void convert(std::span<const std::byte> bytes, std::span<float> out, Convert&& one) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    out[i] = one(value);
  }
}

}  // namespace

float from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fU;
  const std::uint32_t mantissa = half & 0x3ffU;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000U | (mantissa << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

float from_bfloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

void to_floats(DataType type, std::span<const std::byte> bytes, std::span<float> out) {
  switch (type) {
    case DataType::f16:
      return convert<std::uint16_t>(bytes, out, from_half);
    case DataType::bf16:
      return convert<std::uint16_t>(bytes, out, from_bfloat);
    case DataType::f64:
      return convert<double>(bytes, out, [](double v) { return static_cast<float>(v); });
    default:
      std::memcpy(out.data(), bytes.data(), out.size_bytes());
  }
}

}  // namespace fovea::onnx
