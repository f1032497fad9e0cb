#include "onnx/format.hpp"

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include "fovea/error.hpp"
#include "onnx/wire_kinds.hpp"

namespace fovea::onnx::format {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

// A field whose number is known and whose kind is another one is not known either: it is skipped.
bool is(const pbf_reader& in, unsigned field, pbf_wire_type type) {
  return in.tag() == field && in.wire_type() == type;
}

bool text(pbf_reader& in, unsigned field, std::string& out) {
  if (!is(in, field, pbf_wire_type::length_delimited)) return false;
  const auto view = in.get_view();
  out.assign(view.data(), view.size());
  return true;
}

bool texts(pbf_reader& in, unsigned field, std::vector<std::string>& out) {
  return is(in, field, pbf_wire_type::length_delimited) && text(in, field, out.emplace_back());
}

// How a type of number lies in a message, alone and in a row.
template <class T>
struct Number;
template <>
struct Number<std::int32_t> {
  static constexpr auto kType = pbf_wire_type::varint;
  static std::int32_t one(pbf_reader& in) { return in.get_int32(); }
  static auto row(pbf_reader& in) { return in.get_packed_int32(); }
};
template <>
struct Number<std::uint32_t> {
  static constexpr auto kType = pbf_wire_type::varint;
  static std::uint32_t one(pbf_reader& in) { return in.get_uint32(); }
};
template <>
struct Number<std::int64_t> {
  static constexpr auto kType = pbf_wire_type::varint;
  static std::int64_t one(pbf_reader& in) { return in.get_int64(); }
  static auto row(pbf_reader& in) { return in.get_packed_int64(); }
};
template <>
struct Number<std::uint64_t> {
  static constexpr auto kType = pbf_wire_type::varint;
  static std::uint64_t one(pbf_reader& in) { return in.get_uint64(); }
  static auto row(pbf_reader& in) { return in.get_packed_uint64(); }
};
template <>
struct Number<float> {
  static constexpr auto kType = pbf_wire_type::fixed32;
  static float one(pbf_reader& in) { return in.get_float(); }
  static auto row(pbf_reader& in) { return in.get_packed_float(); }
};
template <>
struct Number<double> {
  static constexpr auto kType = pbf_wire_type::fixed64;
  static double one(pbf_reader& in) { return in.get_double(); }
  static auto row(pbf_reader& in) { return in.get_packed_double(); }
};

template <class T>
bool number(pbf_reader& in, unsigned field, T& out) {
  if (!is(in, field, Number<T>::kType)) return false;
  out = Number<T>::one(in);
  return true;
}

template <class T>
bool number(pbf_reader& in, unsigned field, std::optional<T>& out) {
  T value{};
  if (!number(in, field, value)) return false;
  out = value;
  return true;
}

// Writers choose whether numbers lie in a row or each by itself.
template <class T>
bool numbers(pbf_reader& in, unsigned field, std::vector<T>& out) {
  if (is(in, field, pbf_wire_type::length_delimited)) {
    const auto row = Number<T>::row(in);
    out.insert(out.end(), row.begin(), row.end());
    return true;
  }
  return is(in, field, Number<T>::kType) && number(in, field, out.emplace_back());
}

}  // namespace

// A field that stands twice is the later one, a message that does is both together.
struct Fields {
  template <class T>
  static bool message(pbf_reader& in, unsigned field, T& out) {
    if (!is(in, field, pbf_wire_type::length_delimited)) return false;
    read(in.get_message(), out);
    return true;
  }

  template <class T>
  static bool message(pbf_reader& in, unsigned field, std::optional<T>& out) {
    if (!is(in, field, pbf_wire_type::length_delimited)) return false;
    return message(in, field, out ? *out : out.emplace());
  }

  template <class T>
  static bool message(pbf_reader& in, unsigned field, Boxed<T>& out) {
    if (!is(in, field, pbf_wire_type::length_delimited)) return false;
    return message(in, field, out.fill());
  }

  template <class T>
  static bool messages(pbf_reader& in, unsigned field, std::vector<T>& out) {
    if (!is(in, field, pbf_wire_type::length_delimited)) return false;
    return message(in, field, out.emplace_back());
  }

  static void read(pbf_reader in, StringStringEntryProto& out) {
    while (in.next())
      if (!(text(in, 1, out.key_) || text(in, 2, out.value_))) in.skip();
  }

  static void read(pbf_reader in, TensorProto& out) {
    while (in.next())
      if (!(numbers(in, 1, out.dims_) || number(in, 2, out.data_type_) ||
            numbers(in, 4, out.float_data_) || numbers(in, 5, out.int32_data_) ||
            texts(in, 6, out.string_data_) || numbers(in, 7, out.int64_data_) ||
            text(in, 8, out.name_) || text(in, 9, out.raw_data_) ||
            numbers(in, 10, out.double_data_) || numbers(in, 11, out.uint64_data_) ||
            messages(in, 13, out.external_data_) || number(in, 14, out.data_location_) ||
            number(in, kLeftOutField, out.left_out_)))
        in.skip();
  }

  static void read(pbf_reader in, SparseTensorProto& out) {
    while (in.next())
      if (!message(in, 1, out.values_)) in.skip();
  }

  static void read(pbf_reader in, AttributeProto& out) {
    while (in.next())
      if (!(text(in, 1, out.name_) || number(in, 2, out.f_) || number(in, 3, out.i_) ||
            text(in, 4, out.s_) || message(in, 5, out.t_) || message(in, 6, out.g_) ||
            numbers(in, 7, out.floats_) || numbers(in, 8, out.ints_) ||
            texts(in, 9, out.strings_) || number(in, 20, out.type_) ||
            text(in, 21, out.ref_attr_name_)))
        in.skip();
  }

  static void read(pbf_reader in, NodeProto& out) {
    while (in.next())
      if (!(texts(in, 1, out.input_) || texts(in, 2, out.output_) || text(in, 3, out.name_) ||
            text(in, 4, out.op_type_) || messages(in, 5, out.attribute_) ||
            text(in, 7, out.domain_) || text(in, 8, out.overload_)))
        in.skip();
  }

  static void read(pbf_reader in, Dimension& out) {
    while (in.next())
      if (!(number(in, 1, out.dim_value_) || text(in, 2, out.dim_param_))) in.skip();
  }

  static void read(pbf_reader in, TensorShapeProto& out) {
    while (in.next())
      if (!messages(in, 1, out.dim_)) in.skip();
  }

  static void read(pbf_reader in, TensorTypeProto& out) {
    while (in.next())
      if (!(number(in, 1, out.elem_type_) || message(in, 2, out.shape_))) in.skip();
  }

  static void read(pbf_reader in, TypeProto& out) {
    while (in.next())
      if (!message(in, 1, out.tensor_type_)) in.skip();
  }

  static void read(pbf_reader in, ValueInfoProto& out) {
    while (in.next())
      if (!(text(in, 1, out.name_) || message(in, 2, out.type_))) in.skip();
  }

  static void read(pbf_reader in, GraphProto& out) {
    while (in.next())
      if (!(messages(in, 1, out.node_) || text(in, 2, out.name_) ||
            messages(in, 5, out.initializer_) || messages(in, 11, out.input_) ||
            messages(in, 12, out.output_) || messages(in, 15, out.sparse_initializer_)))
        in.skip();
  }

  static void read(pbf_reader in, OperatorSetIdProto& out) {
    while (in.next())
      if (!(text(in, 1, out.domain_) || number(in, 2, out.version_))) in.skip();
  }

  static void read(pbf_reader in, FunctionProto& out) {
    out.encoded_bytes_ = in.length();
    while (in.next())
      if (!(text(in, 1, out.name_) || texts(in, 4, out.input_) || texts(in, 5, out.output_) ||
            texts(in, 6, out.attribute_) || messages(in, 7, out.node_) ||
            messages(in, 9, out.opset_import_) || text(in, 10, out.domain_) ||
            messages(in, 11, out.attribute_proto_) || text(in, 13, out.overload_)))
        in.skip();
  }

  static void read(pbf_reader in, ModelProto& out) {
    while (in.next())
      if (!(number(in, 1, out.ir_version_) || text(in, 2, out.producer_name_) ||
            text(in, 3, out.producer_version_) || message(in, 7, out.graph_) ||
            messages(in, 8, out.opset_import_) || messages(in, 14, out.metadata_props_) ||
            messages(in, 25, out.functions_)))
        in.skip();
  }
};

ModelProto parse(std::string_view messages) {
  ModelProto out;
  try {
    Fields::read(pbf_reader(messages.data(), messages.size()), out);
  } catch (const protozero::exception&) {
    throw Error(ErrorCode::bad_model, "the model is damaged: its fields cannot be read");
  }
  return out;
}

}  // namespace fovea::onnx::format
