#include <array>
#include <utility>
#include <vector>

#include "onnx/element_type.hpp"
#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

using graph::Constant;
using graph::DType;

std::int64_t length(const auto& data) {
  return static_cast<std::int64_t>(data.size());
}

// Exactly one of its attributes holds the value.
void constant(NodeImport& n) {
  static constexpr std::array<std::string_view, 8> kForms{
      "value",     "sparse_value", "value_float",  "value_floats",
      "value_int", "value_ints",   "value_string", "value_strings"};
  int forms = 0;
  for (const auto name : kForms) forms += n.attributes.has(name) ? 1 : 0;
  if (forms != 1) n.bad("it has " + std::to_string(forms) + " values");

  if (auto* tensor = n.attributes.get_tensor("value")) {
    n.set_result(data_type(tensor->data_type()));
    n.define(n.take(*tensor));
  } else if (n.attributes.has("value_float")) {
    n.define(Constant::of_floats({}, {n.attributes.get_float("value_float", 0)}));
  } else if (auto floats = n.attributes.get_floats("value_floats")) {
    const auto count = length(*floats);
    n.define(Constant::of_floats({count}, std::move(*floats)));
  } else if (n.attributes.has("value_int")) {
    n.set_result(DataType::i64);
    n.define(Constant::of_ints({}, {n.attributes.get_int("value_int", 0)}));
  } else if (auto ints = n.attributes.get_ints("value_ints")) {
    const auto count = length(*ints);
    n.set_result(DataType::i64);
    n.define(Constant::of_ints({count}, std::move(*ints)));
  } else if (n.attributes.has("sparse_value")) {
    n.unsupported("a sparse value");
  } else {
    n.unsupported("a string");
  }
}

void constant_of_shape(NodeImport& n) {
  graph::ConstantOfShape op;
  n.set_result(DataType::f32);
  if (auto* tensor = n.attributes.get_tensor("value")) {
    const auto value = n.take(*tensor);
    if (value.size() != 1) n.bad("its value is not one number");
    n.set_result(data_type(tensor->data_type()));
    op.type = value.type;
    constexpr auto kExact = std::int64_t{1} << 53;
    if (op.type != DType::f32 && (value.ints[0] < -kExact || value.ints[0] > kExact))
      n.unsupported("with an integer beyond 2^53");
    op.value = value.type == DType::f32 ? static_cast<double>(value.floats()[0])
                                        : static_cast<double>(value.ints[0]);
  }
  n.emit(op);
}

void range(NodeImport& n) {
  n.attributes.ignore({"stash_type"});
  n.emit(graph::Range{});
}

void shape(NodeImport& n) {
  n.set_result(DataType::i64);
  n.emit(graph::ShapeOf{});
}

void shape_slice(NodeImport& n) {
  graph::ShapeOf op;
  n.set_result(DataType::i64);
  op.start = n.attributes.get_int("start", 0);
  if (n.attributes.has("end")) op.end = n.attributes.get_int("end", 0);
  n.emit(op);
}

void size(NodeImport& n) {
  n.set_result(DataType::i64);
  n.emit(graph::SizeOf{});
}

void cast(NodeImport& n) {
  n.attributes.ignore({"saturate", "round_mode"});  // of 8-bit floats
  const auto to = data_type(n.attributes.require_int("to"));
  n.set_result(to);
  const bool fits = n.type(0) == to || n.type(0) == DataType::boolean;
  n.emit_within(fits ? DataType::boolean : to, graph::Cast{graph_type(to)}, n.inputs());
}

void cast_like(NodeImport& n) {
  n.attributes.ignore({"saturate", "round_mode"});  // of 8-bit floats
  const auto to = n.type(1);
  n.set_result(to);
  const bool fits = n.type(0) == to || n.type(0) == DataType::boolean;
  n.emit_within(fits ? DataType::boolean : to, graph::Cast{graph_type(to)}, {n.input(0)});
}

constexpr std::array kRows{
    Row{"Constant", kOldestOpset, kNewestOpset, 0, 0, constant, "not sparse, not strings"},
    Row{"ConstantOfShape", 9, kNewestOpset, 1, 1, constant_of_shape},
    Row{"Range", 11, kNewestOpset, 3, 3, range},
    Row{"Shape", kOldestOpset, 14, 1, 1, shape},
    Row{"Shape", 15, kNewestOpset, 1, 1, shape_slice},
    Row{"Size", kOldestOpset, kNewestOpset, 1, 1, size},
    Row{"Cast", kOldestOpset, kNewestOpset, 1, 1, cast,
        "float types as f32; integers of 32 and 64 bits as 64, without wrapping"},
    Row{"CastLike", 15, kNewestOpset, 2, 2, cast_like, "as Cast"},
};

}  // namespace

std::span<const Row> constant_rows() {
  return kRows;
}

}  // namespace fovea::onnx
