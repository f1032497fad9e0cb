#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The messages of the ONNX container with the fields that the importer reads, under the format's
/// own names. What reads them looks like what protoc makes of tests/messages/onnx_subset.proto, so
/// that tests hold the two together.
namespace fovea::onnx::format {

class GraphProto;

/// What a message holds that may hold a message of its own kind. Copied with what is in it.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(const Boxed& other) : held_(other.held_ ? std::make_unique<T>(*other.held_) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) {
    if (this != &other) held_ = other.held_ ? std::make_unique<T>(*other.held_) : nullptr;
    return *this;
  }
  Boxed& operator=(Boxed&&) noexcept = default;
  ~Boxed() = default;

  bool has_value() const { return held_ != nullptr; }
  const T* get() const { return held_.get(); }
  T& fill() {
    if (!held_) held_ = std::make_unique<T>();
    return *held_;
  }

 private:
  std::unique_ptr<T> held_;
};

/// What a message without it says.
template <class T>
const T& absent() {
  static const T none;
  return none;
}

class StringStringEntryProto {
 public:
  const std::string& key() const { return key_; }
  const std::string& value() const { return value_; }

 private:
  friend struct Fields;
  std::string key_;
  std::string value_;
};

class TensorProto {
 public:
  const std::vector<std::int64_t>& dims() const { return dims_; }
  std::int32_t data_type() const { return data_type_; }
  const std::vector<float>& float_data() const { return float_data_; }
  int float_data_size() const { return static_cast<int>(float_data_.size()); }
  const std::vector<std::int32_t>& int32_data() const { return int32_data_; }
  const std::vector<std::string>& string_data() const { return string_data_; }
  const std::vector<std::int64_t>& int64_data() const { return int64_data_; }
  const std::string& name() const { return name_; }
  const std::string& raw_data() const { return raw_data_; }
  std::string take_raw_data() { return std::exchange(raw_data_, {}); }
  const std::vector<double>& double_data() const { return double_data_; }
  int double_data_size() const { return static_cast<int>(double_data_.size()); }
  const std::vector<std::uint64_t>& uint64_data() const { return uint64_data_; }
  const std::vector<StringStringEntryProto>& external_data() const { return external_data_; }
  int external_data_size() const { return static_cast<int>(external_data_.size()); }
  std::int32_t data_location() const { return data_location_; }
  bool has_left_out() const { return left_out_.has_value(); }
  std::uint32_t left_out() const { return left_out_.value_or(0); }

 private:
  friend struct Fields;
  std::vector<std::int64_t> dims_;
  std::int32_t data_type_ = 0;
  std::vector<float> float_data_;
  std::vector<std::int32_t> int32_data_;
  std::vector<std::string> string_data_;
  std::vector<std::int64_t> int64_data_;
  std::string name_;
  std::string raw_data_;
  std::vector<double> double_data_;
  std::vector<std::uint64_t> uint64_data_;
  std::vector<StringStringEntryProto> external_data_;
  std::int32_t data_location_ = 0;
  std::optional<std::uint32_t> left_out_;
};

class SparseTensorProto {
 public:
  const TensorProto& values() const { return values_; }

 private:
  friend struct Fields;
  TensorProto values_;
};

class AttributeProto {
 public:
  const std::string& name() const { return name_; }
  void set_name(std::string value) { name_ = std::move(value); }
  float f() const { return f_; }
  std::int64_t i() const { return i_; }
  const std::string& s() const { return s_; }
  bool has_t() const { return t_.has_value(); }
  const TensorProto& t() const;
  TensorProto* mutable_t();
  bool has_g() const { return g_.has_value(); }
  const GraphProto& g() const;
  GraphProto* mutable_g();
  const std::vector<float>& floats() const { return floats_; }
  const std::vector<std::int64_t>& ints() const { return ints_; }
  int ints_size() const { return static_cast<int>(ints_.size()); }
  const std::vector<std::string>& strings() const { return strings_; }
  std::int32_t type() const { return type_; }
  void set_type(std::int32_t value) { type_ = value; }
  const std::string& ref_attr_name() const { return ref_attr_name_; }

 private:
  friend struct Fields;
  std::string name_;
  float f_ = 0;
  std::int64_t i_ = 0;
  std::string s_;
  Boxed<TensorProto> t_;
  Boxed<GraphProto> g_;
  std::vector<float> floats_;
  std::vector<std::int64_t> ints_;
  std::vector<std::string> strings_;
  std::int32_t type_ = 0;
  std::string ref_attr_name_;
};

class NodeProto {
 public:
  const std::vector<std::string>& input() const { return input_; }
  const std::string& input(int i) const { return input_[static_cast<std::size_t>(i)]; }
  int input_size() const { return static_cast<int>(input_.size()); }
  std::vector<std::string>* mutable_input() { return &input_; }
  void add_input(std::string value) { input_.push_back(std::move(value)); }
  void clear_input() { input_.clear(); }
  const std::vector<std::string>& output() const { return output_; }
  const std::string& output(int i) const { return output_[static_cast<std::size_t>(i)]; }
  int output_size() const { return static_cast<int>(output_.size()); }
  std::vector<std::string>* mutable_output() { return &output_; }
  void add_output(std::string value) { output_.push_back(std::move(value)); }
  const std::string& name() const { return name_; }
  void set_name(std::string value) { name_ = std::move(value); }
  const std::string& op_type() const { return op_type_; }
  void set_op_type(std::string value) { op_type_ = std::move(value); }
  const std::vector<AttributeProto>& attribute() const { return attribute_; }
  int attribute_size() const { return static_cast<int>(attribute_.size()); }
  std::vector<AttributeProto>* mutable_attribute() { return &attribute_; }
  AttributeProto* add_attribute() { return &attribute_.emplace_back(); }
  void clear_attribute() { attribute_.clear(); }
  const std::string& domain() const { return domain_; }
  const std::string& overload() const { return overload_; }

 private:
  friend struct Fields;
  std::vector<std::string> input_;
  std::vector<std::string> output_;
  std::string name_;
  std::string op_type_;
  std::vector<AttributeProto> attribute_;
  std::string domain_;
  std::string overload_;
};

class Dimension {
 public:
  bool has_dim_value() const { return dim_value_.has_value(); }
  std::int64_t dim_value() const { return dim_value_.value_or(0); }
  const std::string& dim_param() const { return dim_param_; }

 private:
  friend struct Fields;
  std::optional<std::int64_t> dim_value_;
  std::string dim_param_;
};

class TensorShapeProto {
 public:
  const std::vector<Dimension>& dim() const { return dim_; }
  int dim_size() const { return static_cast<int>(dim_.size()); }

 private:
  friend struct Fields;
  std::vector<Dimension> dim_;
};

class TensorTypeProto {
 public:
  std::int32_t elem_type() const { return elem_type_; }
  bool has_shape() const { return shape_.has_value(); }
  const TensorShapeProto& shape() const { return shape_ ? *shape_ : absent<TensorShapeProto>(); }

 private:
  friend struct Fields;
  std::int32_t elem_type_ = 0;
  std::optional<TensorShapeProto> shape_;
};

class TypeProto {
 public:
  bool has_tensor_type() const { return tensor_type_.has_value(); }
  const TensorTypeProto& tensor_type() const {
    return tensor_type_ ? *tensor_type_ : absent<TensorTypeProto>();
  }

 private:
  friend struct Fields;
  std::optional<TensorTypeProto> tensor_type_;
};

class ValueInfoProto {
 public:
  const std::string& name() const { return name_; }
  bool has_type() const { return type_.has_value(); }
  const TypeProto& type() const { return type_ ? *type_ : absent<TypeProto>(); }

 private:
  friend struct Fields;
  std::string name_;
  std::optional<TypeProto> type_;
};

class GraphProto {
 public:
  const std::vector<NodeProto>& node() const { return node_; }
  std::vector<NodeProto>* mutable_node() { return &node_; }
  const std::string& name() const { return name_; }
  const std::vector<TensorProto>& initializer() const { return initializer_; }
  int initializer_size() const { return static_cast<int>(initializer_.size()); }
  std::vector<TensorProto>* mutable_initializer() { return &initializer_; }
  const std::vector<ValueInfoProto>& input() const { return input_; }
  const ValueInfoProto& input(int i) const { return input_[static_cast<std::size_t>(i)]; }
  int input_size() const { return static_cast<int>(input_.size()); }
  std::vector<ValueInfoProto>* mutable_input() { return &input_; }
  const std::vector<ValueInfoProto>& output() const { return output_; }
  const ValueInfoProto& output(int i) const { return output_[static_cast<std::size_t>(i)]; }
  int output_size() const { return static_cast<int>(output_.size()); }
  std::vector<ValueInfoProto>* mutable_output() { return &output_; }
  const std::vector<SparseTensorProto>& sparse_initializer() const { return sparse_initializer_; }

 private:
  friend struct Fields;
  std::vector<NodeProto> node_;
  std::string name_;
  std::vector<TensorProto> initializer_;
  std::vector<ValueInfoProto> input_;
  std::vector<ValueInfoProto> output_;
  std::vector<SparseTensorProto> sparse_initializer_;
};

class OperatorSetIdProto {
 public:
  const std::string& domain() const { return domain_; }
  std::int64_t version() const { return version_; }

 private:
  friend struct Fields;
  std::string domain_;
  std::int64_t version_ = 0;
};

class FunctionProto {
 public:
  /// Of the message that it was read from.
  std::size_t encoded_bytes() const { return encoded_bytes_; }
  const std::string& name() const { return name_; }
  const std::vector<std::string>& input() const { return input_; }
  const std::string& input(int i) const { return input_[static_cast<std::size_t>(i)]; }
  int input_size() const { return static_cast<int>(input_.size()); }
  const std::vector<std::string>& output() const { return output_; }
  const std::string& output(int i) const { return output_[static_cast<std::size_t>(i)]; }
  int output_size() const { return static_cast<int>(output_.size()); }
  const std::vector<std::string>& attribute() const { return attribute_; }
  int attribute_size() const { return static_cast<int>(attribute_.size()); }
  const std::vector<NodeProto>& node() const { return node_; }
  const std::vector<OperatorSetIdProto>& opset_import() const { return opset_import_; }
  const std::string& domain() const { return domain_; }
  const std::vector<AttributeProto>& attribute_proto() const { return attribute_proto_; }
  const std::string& overload() const { return overload_; }

 private:
  friend struct Fields;
  std::string name_;
  std::vector<std::string> input_;
  std::vector<std::string> output_;
  std::vector<std::string> attribute_;
  std::vector<NodeProto> node_;
  std::vector<OperatorSetIdProto> opset_import_;
  std::string domain_;
  std::vector<AttributeProto> attribute_proto_;
  std::string overload_;
  std::size_t encoded_bytes_ = 0;
};

class ModelProto {
 public:
  bool has_ir_version() const { return ir_version_.has_value(); }
  std::int64_t ir_version() const { return ir_version_.value_or(0); }
  const std::string& producer_name() const { return producer_name_; }
  const std::string& producer_version() const { return producer_version_; }
  bool has_graph() const { return graph_.has_value(); }
  const GraphProto& graph() const { return graph_ ? *graph_ : absent<GraphProto>(); }
  GraphProto* mutable_graph() { return graph_ ? &*graph_ : &graph_.emplace(); }
  const std::vector<OperatorSetIdProto>& opset_import() const { return opset_import_; }
  const std::vector<StringStringEntryProto>& metadata_props() const { return metadata_props_; }
  const std::vector<FunctionProto>& functions() const { return functions_; }

 private:
  friend struct Fields;
  std::optional<std::int64_t> ir_version_;
  std::string producer_name_;
  std::string producer_version_;
  std::optional<GraphProto> graph_;
  std::vector<OperatorSetIdProto> opset_import_;
  std::vector<StringStringEntryProto> metadata_props_;
  std::vector<FunctionProto> functions_;
};

inline const TensorProto& AttributeProto::t() const {
  const auto* held = t_.get();
  return held != nullptr ? *held : absent<TensorProto>();
}
inline TensorProto* AttributeProto::mutable_t() {
  return &t_.fill();
}
inline const GraphProto& AttributeProto::g() const {
  const auto* held = g_.get();
  return held != nullptr ? *held : absent<GraphProto>();
}
inline GraphProto* AttributeProto::mutable_g() {
  return &g_.fill();
}

/// The messages that read_skeleton leaves (wire.hpp), which bounds how deep they are nested. Throws
/// Error bad_model for what is none.
ModelProto parse(std::string_view messages);

}  // namespace fovea::onnx::format
