#include "onnx/element_type.hpp"

#include <string>

#include "fovea/error.hpp"

namespace fovea::onnx {

DataType data_type(std::int64_t number) {
  switch (number) {
    case 1:
      return DataType::f32;
    case 2:
      return DataType::u8;
    case 3:
      return DataType::i8;
    case 4:
      return DataType::u16;
    case 5:
      return DataType::i16;
    case 6:
      return DataType::i32;
    case 7:
      return DataType::i64;
    case 9:
      return DataType::boolean;
    case 10:
      return DataType::f16;
    case 11:
      return DataType::f64;
    case 12:
      return DataType::u32;
    case 13:
      return DataType::u64;
    case 16:
      return DataType::bf16;
    default:
      break;
  }
  const auto unsupported = [](const char* name) {
    throw Error(ErrorCode::unsupported,
                std::string("the element type ") + name + " is not supported");
  };
  if (number == 8) unsupported("string");
  if (number == 14 || number == 15) unsupported("complex");
  if ((number >= 17 && number <= 20) || number == 24) unsupported("float8");
  if (number >= 21 && number <= 26) unsupported("of less than 8 bits");
  throw Error(ErrorCode::bad_model,
              number == 0 ? "an element type is missing"
                          : "the element type " + std::to_string(number) + " does not exist");
}

graph::DType graph_type(DataType type) {
  switch (type) {
    case DataType::f32:
    case DataType::f16:
    case DataType::bf16:
    case DataType::f64:
      return graph::DType::f32;
    case DataType::boolean:
      return graph::DType::boolean;
    default:
      return graph::DType::i64;
  }
}

std::int64_t size_of(DataType type) {
  switch (type) {
    case DataType::boolean:
    case DataType::i8:
    case DataType::u8:
      return 1;
    case DataType::f16:
    case DataType::bf16:
    case DataType::i16:
    case DataType::u16:
      return 2;
    case DataType::f32:
    case DataType::i32:
    case DataType::u32:
      return 4;
    default:
      return 8;
  }
}

}  // namespace fovea::onnx
