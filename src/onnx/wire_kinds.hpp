#pragma once

#include <cstdint>

namespace fovea::onnx {

/// The messages of format.hpp; opaque: bytes, text, and what is not read.
enum class Kind {
  opaque,
  model,
  graph,
  function,
  node,
  attribute,
  tensor,
  sparse_tensor,
  value_info,
  type,
  tensor_type,
  shape,
  dimension,
  pair,
  opset
};

/// What a length-delimited field of a message holds.
Kind child_of(Kind parent, std::uint64_t field);

/// Does format.hpp name the field?
bool is_read(Kind parent, std::uint64_t field);

/// Fields of a tensor that hold its values.
bool is_payload(std::uint64_t field);
inline constexpr std::uint64_t kFloatData = 4, kRawData = 9;

/// The field of a tensor that says which data was left out; the largest number that the format has.
inline constexpr std::uint64_t kLeftOutField = (1U << 29) - 1;

}  // namespace fovea::onnx
