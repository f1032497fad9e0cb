#include "onnx/value_info.hpp"

#include <string>

#include "base/checked.hpp"
#include "onnx/element_type.hpp"
#include "onnx/limits.hpp"
#include "onnx/text.hpp"

namespace fovea::onnx {
namespace {

void read_shape(const format::TensorShapeProto& shape, ValueInfo& out) {
  if (shape.dim_size() > base::kMaxRank)
    throw Error(ErrorCode::unsupported, "a value has more than 8 dimensions", {{}, out.name, {}});
  for (const auto& dim : shape.dim()) {
    const bool number = dim.has_dim_value();
    // Some writers say -1 for "open".
    if (number && (dim.dim_value() < -1 || dim.dim_value() > kMaxExtent))
      throw Error(ErrorCode::bad_model, "a declared extent is out of range", {{}, out.name, {}});
    check_name(dim.dim_param(), "a dimension");
    out.shape.push_back(number ? dim.dim_value() : -1);
    out.dimensions.push_back(number ? "" : dim.dim_param());
  }
}

}  // namespace

ValueInfo input_info(const format::ValueInfoProto& value) {
  const ErrorContext context{{}, value.name(), {}};
  if (!value.has_type()) throw Error(ErrorCode::bad_model, "an input has no type", context);
  if (!value.type().has_tensor_type())
    throw Error(ErrorCode::unsupported, "an input is not a dense tensor", context);
  const auto& tensor = value.type().tensor_type();
  ValueInfo out;
  out.name = value.name();
  try {
    out.type = data_type(tensor.elem_type());
  } catch (const Error& error) {
    throw error.with(context);
  }
  out.is_ranked = tensor.has_shape();
  if (out.is_ranked) read_shape(tensor.shape(), out);
  return out;
}

ValueInfo output_info(const format::ValueInfoProto& value) {
  ValueInfo out;
  out.name = value.name();
  out.is_ranked = false;
  if (!value.type().has_tensor_type()) {
    if (value.has_type()) out.type = DataType::other;
    return out;
  }
  const auto& tensor = value.type().tensor_type();
  if (tensor.elem_type() != 0) try {
      out.type = data_type(tensor.elem_type());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw error.with({{}, value.name(), {}});
      out.type = tensor.elem_type() == 8 ? DataType::string : DataType::other;
    }
  out.is_ranked = tensor.has_shape();
  if (out.is_ranked) read_shape(tensor.shape(), out);
  return out;
}

bool may_be_scores(const format::ValueInfoProto& value) {
  if (!value.has_type()) return true;
  if (!value.type().has_tensor_type()) return false;
  const auto type = value.type().tensor_type().elem_type();
  if (type == 0) return true;
  try {
    return graph_type(data_type(type)) == graph::DType::f32;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace fovea::onnx
