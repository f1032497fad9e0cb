#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "onnx_subset.pb.h"

/// Small ONNX models, written by hand in tests. Link `fovea_onnx_messages` beside `fovea_onnx`.
namespace fovea::test {

/// The format's element types.
enum Elem {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBfloat16 = 16
};

using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;
using TensorProto = fovea_onnx::TensorProto;
using AttributeProto = fovea_onnx::AttributeProto;
using NodeProto = fovea_onnx::NodeProto;

/// A tensor without data.
inline TensorProto empty_tensor(const std::string& name, const Ints& dims, int type) {
  TensorProto out;
  out.set_name(name);
  for (const auto d : dims) out.add_dims(d);
  out.set_data_type(type);
  return out;
}
/// A tensor whose raw data is `data`, whatever its type says.
template <class T>
TensorProto raw_tensor(const std::string& name, const Ints& dims, int type,
                       const std::vector<T>& data) {
  auto out = empty_tensor(name, dims, type);
  out.set_raw_data(
      std::string(reinterpret_cast<const char*>(data.data()), data.size() * sizeof(T)));
  return out;
}
inline TensorProto tensor(const std::string& name, const Ints& dims, const Floats& data) {
  return raw_tensor(name, dims, kFloat, data);
}
inline TensorProto tensor(const std::string& name, const Ints& dims, const Ints& data) {
  return raw_tensor(name, dims, kInt64, data);
}

/// One attribute, of the type that the value has.
inline AttributeProto attr_of_type(const std::string& name, int type) {
  AttributeProto out;
  out.set_name(name);
  out.set_type(type);
  return out;
}
inline AttributeProto attr(const std::string& name, std::floating_point auto value) {
  auto out = attr_of_type(name, 1);
  out.set_f(static_cast<float>(value));
  return out;
}
inline AttributeProto attr(const std::string& name, std::integral auto value) {
  auto out = attr_of_type(name, 2);
  out.set_i(static_cast<std::int64_t>(value));
  return out;
}
inline AttributeProto attr(const std::string& name, Elem value) {
  return attr(name, static_cast<int>(value));
}
inline AttributeProto attr(const std::string& name, const char* value) {
  auto out = attr_of_type(name, 3);
  out.set_s(value);
  return out;
}
inline AttributeProto attr(const std::string& name, const TensorProto& value) {
  auto out = attr_of_type(name, 4);
  *out.mutable_t() = value;
  return out;
}
inline AttributeProto attr(const std::string& name, const Floats& value) {
  auto out = attr_of_type(name, 6);
  for (const auto v : value) out.add_floats(v);
  return out;
}
inline AttributeProto attr(const std::string& name, const Ints& value) {
  auto out = attr_of_type(name, 7);
  for (const auto v : value) out.add_ints(v);
  return out;
}
using Strings = std::vector<std::string>;
inline AttributeProto attr(const std::string& name, const Strings& value) {
  auto out = attr_of_type(name, 8);
  for (const auto& text : value) out.add_strings(text);
  return out;
}

using Attrs = std::vector<AttributeProto>;

inline NodeProto node(const std::string& op, const Strings& inputs, const Strings& outputs,
                      const Attrs& attributes = {}, const std::string& name = {}) {
  NodeProto out;
  out.set_op_type(op);
  out.set_name(name);
  for (const auto& input : inputs) out.add_input(input);
  for (const auto& output : outputs) out.add_output(output);
  for (const auto& attribute : attributes) *out.add_attribute() = attribute;
  return out;
}

/// A model under construction; every call returns the builder. `proto` is open for anything else.
class ModelBuilder {
 public:
  explicit ModelBuilder(std::int64_t opset = 13, std::int64_t ir = 8) {
    proto.set_ir_version(ir);
    proto.set_producer_name("test");
    auto* import = proto.add_opset_import();
    import->set_domain("");
    import->set_version(opset);
    proto.mutable_graph()->set_name("graph");
  }

  /// Extent -1: open, named after the input and dimension.
  ModelBuilder& input(const std::string& name, const Ints& dims, int type = kFloat) {
    declare(*proto.mutable_graph()->add_input(), name, dims, type);
    return *this;
  }
  ModelBuilder& output(const std::string& name, const Ints& dims = {}, int type = kFloat) {
    declare(*proto.mutable_graph()->add_output(), name, dims, type);
    return *this;
  }
  ModelBuilder& initializer(const TensorProto& value) {
    *proto.mutable_graph()->add_initializer() = value;
    return *this;
  }
  ModelBuilder& initializer(const std::string& name, const Ints& dims, const Floats& data) {
    return initializer(tensor(name, dims, data));
  }
  ModelBuilder& initializer(const std::string& name, const Ints& dims, const Ints& data) {
    return initializer(tensor(name, dims, data));
  }
  ModelBuilder& add(const NodeProto& value) {
    *proto.mutable_graph()->add_node() = value;
    return *this;
  }
  ModelBuilder& add(const std::string& op, const Strings& inputs, const Strings& outputs,
                    const Attrs& attributes = {}, const std::string& name = {}) {
    return add(node(op, inputs, outputs, attributes, name));
  }
  /// The last node added.
  NodeProto& last() {
    auto& nodes = *proto.mutable_graph()->mutable_node();
    return nodes[nodes.size() - 1];
  }

  std::string serialize() const { return proto.SerializeAsString(); }

  fovea_onnx::ModelProto proto;

 private:
  static void declare(fovea_onnx::ValueInfoProto& value, const std::string& name, const Ints& dims,
                      int type) {
    value.set_name(name);
    auto& out = *value.mutable_type()->mutable_tensor_type();
    out.set_elem_type(type);
    out.mutable_shape();
    for (std::size_t i = 0; i < dims.size(); ++i) {
      auto& dim = *out.mutable_shape()->add_dim();
      if (dims[i] >= 0)
        dim.set_dim_value(dims[i]);
      else
        dim.set_dim_param(name + "_" + std::to_string(i));
    }
  }
};

inline std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace fovea::test
