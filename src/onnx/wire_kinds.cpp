#include "onnx/wire_kinds.hpp"

#include <initializer_list>

namespace fovea::onnx {
namespace {

constexpr std::uint64_t fields(std::initializer_list<unsigned> numbers) {
  std::uint64_t out = 0;
  for (const auto number : numbers) out |= std::uint64_t{1} << number;
  return out;
}

constexpr std::uint64_t fields_of(Kind kind) {
  switch (kind) {
    case Kind::model:
      return fields({1, 2, 3, 7, 8, 14, 25});
    case Kind::graph:
      return fields({1, 2, 5, 11, 12, 15});
    case Kind::function:
      return fields({1, 4, 5, 6, 7, 9, 10, 11, 13});
    case Kind::node:
      return fields({1, 2, 3, 4, 5, 7, 8});
    case Kind::attribute:
      return fields({1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 21});
    case Kind::tensor:
      return fields({1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14});
    case Kind::sparse_tensor:
    case Kind::type:
    case Kind::shape:
      return fields({1});
    case Kind::value_info:
    case Kind::tensor_type:
    case Kind::dimension:
    case Kind::pair:
    case Kind::opset:
      return fields({1, 2});
    case Kind::opaque:
      break;
  }
  return 0;
}

}  // namespace

Kind child_of(Kind parent, std::uint64_t field) {
  switch (parent) {
    case Kind::model:
      if (field == 7) return Kind::graph;
      if (field == 8) return Kind::opset;
      if (field == 14) return Kind::pair;
      if (field == 25) return Kind::function;
      break;
    case Kind::graph:
      if (field == 1) return Kind::node;
      if (field == 5) return Kind::tensor;
      if (field == 11 || field == 12) return Kind::value_info;
      if (field == 15) return Kind::sparse_tensor;
      break;
    case Kind::function:
      if (field == 7) return Kind::node;
      if (field == 9) return Kind::opset;
      if (field == 11) return Kind::attribute;
      break;
    case Kind::node:
      if (field == 5) return Kind::attribute;
      break;
    case Kind::attribute:
      if (field == 5) return Kind::tensor;
      if (field == 6) return Kind::graph;
      break;
    case Kind::sparse_tensor:
      if (field == 1) return Kind::tensor;
      break;
    case Kind::tensor:
      if (field == 13) return Kind::pair;
      break;
    case Kind::value_info:
      if (field == 2) return Kind::type;
      break;
    case Kind::type:
      if (field == 1) return Kind::tensor_type;
      break;
    case Kind::tensor_type:
      if (field == 2) return Kind::shape;
      break;
    case Kind::shape:
      if (field == 1) return Kind::dimension;
      break;
    default:
      break;
  }
  return Kind::opaque;
}

bool is_read(Kind parent, std::uint64_t field) {
  return field < 64 && (fields_of(parent) >> field & 1U) != 0;
}

bool is_payload(std::uint64_t field) {
  return field < 64 && (fields({4, 5, 6, 7, 9, 10, 11}) >> field & 1U) != 0;
}

}  // namespace fovea::onnx
