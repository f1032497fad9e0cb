// What the importer reads of a model is what protobuf reads of it: of whole models, of two in one,
// and of what is left of them when bytes are wrong.
#include "onnx/format.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "import_helpers.hpp"
#include "onnx/source.hpp"
#include "onnx/wire.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

using Out = std::ostringstream;

void tell(Out& out, const std::string& text) {
  out << text.size() << ':' << text << ' ';
}
void tell(Out& out, float value) {
  out << std::bit_cast<std::uint32_t>(value) << ' ';
}
void tell(Out& out, double value) {
  out << std::bit_cast<std::uint64_t>(value) << ' ';
}
template <std::integral T>
void tell(Out& out, T value) {
  out << +value << ' ';
}
template <class Row, class Tell>
void tell_all(Out& out, const Row& row, const Tell& one) {
  out << '[';
  for (const auto& item : row) one(item);
  out << ']';
}
template <class Row>
void tell_all(Out& out, const Row& row) {
  tell_all(out, row, [&](const auto& item) { tell(out, item); });
}

// Both kinds of message have the same accessors.
template <class Tensor>
void tell_tensor(Out& out, const Tensor& tensor) {
  out << "tensor ";
  tell_all(out, tensor.dims());
  tell(out, tensor.data_type());
  tell_all(out, tensor.float_data());
  tell_all(out, tensor.int32_data());
  tell_all(out, tensor.string_data());
  tell_all(out, tensor.int64_data());
  tell(out, tensor.name());
  tell(out, tensor.raw_data());
  tell_all(out, tensor.double_data());
  tell_all(out, tensor.uint64_data());
  tell_all(out, tensor.external_data(), [&](const auto& pair) {
    tell(out, pair.key());
    tell(out, pair.value());
  });
  tell(out, tensor.data_location());
  if (tensor.has_left_out()) tell(out, tensor.left_out());
}

template <class Graph>
void tell_graph(Out& out, const Graph& graph);

template <class Attribute>
void tell_attribute(Out& out, const Attribute& attribute) {
  out << "attribute ";
  tell(out, attribute.name());
  tell(out, attribute.f());
  tell(out, attribute.i());
  tell(out, attribute.s());
  if (attribute.has_t()) tell_tensor(out, attribute.t());
  if (attribute.has_g()) tell_graph(out, attribute.g());
  tell_all(out, attribute.floats());
  tell_all(out, attribute.ints());
  tell_all(out, attribute.strings());
  tell(out, attribute.type());
  tell(out, attribute.ref_attr_name());
}

template <class Node>
void tell_node(Out& out, const Node& node) {
  out << "node ";
  tell_all(out, node.input());
  tell_all(out, node.output());
  tell(out, node.name());
  tell(out, node.op_type());
  tell_all(out, node.attribute(), [&](const auto& one) { tell_attribute(out, one); });
  tell(out, node.domain());
  tell(out, node.overload());
}

template <class Info>
void tell_info(Out& out, const Info& info) {
  out << "value ";
  tell(out, info.name());
  tell(out, info.has_type());
  if (!info.type().has_tensor_type()) return;
  const auto& type = info.type().tensor_type();
  tell(out, type.elem_type());
  tell(out, type.has_shape());
  tell_all(out, type.shape().dim(), [&](const auto& dim) {
    tell(out, dim.has_dim_value());
    tell(out, dim.dim_value());
    tell(out, dim.dim_param());
  });
}

template <class Graph>
void tell_graph(Out& out, const Graph& graph) {
  out << "graph ";
  tell_all(out, graph.node(), [&](const auto& one) { tell_node(out, one); });
  tell(out, graph.name());
  tell_all(out, graph.initializer(), [&](const auto& one) { tell_tensor(out, one); });
  tell_all(out, graph.input(), [&](const auto& one) { tell_info(out, one); });
  tell_all(out, graph.output(), [&](const auto& one) { tell_info(out, one); });
  tell_all(out, graph.sparse_initializer(),
           [&](const auto& one) { tell_tensor(out, one.values()); });
}

template <class Imports>
void tell_opsets(Out& out, const Imports& imports) {
  tell_all(out, imports, [&](const auto& one) {
    tell(out, one.domain());
    tell(out, one.version());
  });
}

std::size_t bytes_of(const onnx::format::FunctionProto& function) {
  return function.encoded_bytes();
}
std::size_t bytes_of(const fovea_onnx::FunctionProto& function) {
  return function.ByteSizeLong();
}

// `with_bytes`: protobuf's count is that of the shortest encoding, which a damaged file need not
// have.
template <class Model>
std::string told(const Model& model, bool with_bytes) {
  Out out;
  tell(out, model.has_ir_version());
  tell(out, model.ir_version());
  tell(out, model.producer_name());
  tell(out, model.producer_version());
  if (model.has_graph()) tell_graph(out, model.graph());
  tell_opsets(out, model.opset_import());
  tell_all(out, model.metadata_props(), [&](const auto& pair) {
    tell(out, pair.key());
    tell(out, pair.value());
  });
  tell_all(out, model.functions(), [&](const auto& function) {
    tell(out, function.name());
    tell_all(out, function.input());
    tell_all(out, function.output());
    tell_all(out, function.attribute());
    tell_all(out, function.node(), [&](const auto& one) { tell_node(out, one); });
    tell_opsets(out, function.opset_import());
    tell(out, function.domain());
    tell_all(out, function.attribute_proto(), [&](const auto& one) { tell_attribute(out, one); });
    tell(out, function.overload());
    if (with_bytes) tell(out, bytes_of(function));
  });
  return out.str();
}

// Are the bytes a model's messages? Says so only where both readers do, with the same content.
bool is_same(const std::string& bytes, bool with_bytes, const std::string& what) {
  std::string messages;
  try {
    messages = onnx::read_skeleton(onnx::HeldBytes(std::as_bytes(std::span(bytes)))).messages;
  } catch (const Error&) {
    return false;
  }
  fovea_onnx::ModelProto theirs;
  const bool reads = theirs.ParseFromString(messages);
  try {
    const auto ours = onnx::format::parse(messages);
    EXPECT_TRUE(reads) << what;
    EXPECT_EQ(told(ours, with_bytes), told(theirs, with_bytes)) << what;
  } catch (const Error& error) {
    EXPECT_FALSE(reads) << what << ": " << error.what();
  }
  return reads;
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Format, WholeModels) {
  int models = 0;
  for (const auto* folder : {"/tools/demo/models", "/tests"})
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::string(FOVEA_SOURCE_DIR) + folder)) {
      if (entry.path().extension() != ".onnx") continue;
      models += is_same(read_file(entry.path()), true, entry.path()) ? 1 : 0;
    }
  EXPECT_GT(models, 100);
}

TEST(Format, WhatStandsTwiceIsPutTogether) {
  const auto first = small_model().serialize();
  const auto second = read_file(FOVEA_SOURCE_DIR "/tools/demo/models/caption.onnx");
  EXPECT_TRUE(is_same(first + second, false, "two models"));
  EXPECT_TRUE(is_same(second + first, false, "two models"));
}

TEST(Format, NumbersLieInARowOrAlone) {
  fovea_onnx::ModelProto model;
  model.set_ir_version(8);
  auto& attribute = *model.mutable_graph()->add_node()->add_attribute();
  attribute.set_name("a");
  // ints, each alone and in a row: -1 takes ten bytes; floats in a row; a type beyond 32 bits.
  const std::string rows(
      "\x40\x05\x42\x0c\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x07\x08"
      "\x3d\x00\x00\x80\x3f\x3a\x08\x00\x00\x00\x40\x00\x00\xc0\x7f"
      "\xa0\x01\xff\xff\xff\xff\x7f",
      38);
  auto bytes = model.SerializeAsString();
  const auto place = bytes.find(
      "\x0a\x01"
      "a");
  ASSERT_NE(place, std::string::npos);
  bytes.insert(place + 3, rows);
  // The lengths of the graph, the node and the attribute.
  for (const auto back : {1U, 3U, 5U})
    bytes[place - back] = static_cast<char>(bytes[place - back] + 38);
  ASSERT_TRUE(is_same(bytes, false, "rows"));
  const auto read = onnx::format::parse(bytes).graph().node()[0].attribute()[0];
  EXPECT_EQ(read.ints(), (Ints{5, -1, 7, 8}));
  EXPECT_EQ(read.floats().size(), 3U);
}

TEST(Format, BytesMayBeWrong) {
  std::mt19937 random(1);
  int read = 0, changed = 0;
  for (const auto& whole :
       {small_model().serialize(), read_file(FOVEA_SOURCE_DIR "/tools/demo/models/caption.onnx")})
    for (int i = 0; i < 3000; ++i) {
      auto bytes = whole;
      // Where messages are: the weights follow behind.
      const auto place = random() % std::min<std::size_t>(bytes.size(), 4000);
      bytes[place] = static_cast<char>(i % 2 == 0 ? random() : bytes[place] ^ (1U << random() % 8));
      read += is_same(bytes, false, "draw " + std::to_string(i)) ? 1 : 0;
      ++changed;
    }
  EXPECT_GT(read, changed / 4);
  EXPECT_LT(read, changed);
}

}  // namespace
}  // namespace fovea::test
