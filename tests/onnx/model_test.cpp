// Header, operator sets, and what the graph as a whole must obey.
#include "import_helpers.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

constexpr auto kBad = ErrorCode::bad_model;
constexpr auto kUnsupported = ErrorCode::unsupported;

TEST(Model, WhatItSaysOfItself) {
  auto model = small_model();
  model.proto.set_producer_version("1.2");
  auto* meta = model.proto.add_metadata_props();
  meta->set_key("labels");
  meta->set_value("a,b,c");
  const auto got = import(model);
  EXPECT_EQ(got.info.opset, 13);
  EXPECT_EQ(got.info.ir_version, 8);
  EXPECT_EQ(got.info.producer, "test 1.2");
  EXPECT_EQ(got.info.metadata, (std::map<std::string, std::string>{{"labels", "a,b,c"}}));
  ASSERT_EQ(got.info.inputs.size(), 1U);
  EXPECT_EQ(got.info.inputs[0].shape, (Shape{-1, 2, 4, 4}));
  EXPECT_EQ(got.info.inputs[0].dimensions, (std::vector<std::string>{"x_0", "", "", ""}));
  ASSERT_EQ(got.info.outputs.size(), 1U);
  EXPECT_EQ(got.info.outputs[0].name, "y");
  EXPECT_EQ(got.info.outputs[0].shape, (Shape{-1, 3}));
  ASSERT_EQ(got.info.nodes.size(), 6U);
  EXPECT_EQ(got.info.nodes[1].name, "bn1");
  EXPECT_EQ(got.info.nodes[1].op, "BatchNormalization");
  EXPECT_EQ(got.info.nodes[1].inputs.size(), 5U);
  EXPECT_EQ(got.info.nodes[2].name, "relu") << "named after its output";
  EXPECT_EQ(got.graph.node(graph::NodeId{0}).name, "conv1");
  EXPECT_EQ(got.graph.value(got.graph.outputs.at(0)).name, "y");
}

TEST(Model, WhatItSaysCanBeShown) {
  auto model = tiny_model();
  model.proto.set_producer_name("a\x1b[31m\xff");
  auto* meta = model.proto.add_metadata_props();
  meta->set_key("k\x01");
  meta->set_value("größe\n\tx\xc3");
  const auto got = import(model);
  EXPECT_EQ(got.info.producer, "a?[31m?");
  EXPECT_EQ(got.info.metadata, (std::map<std::string, std::string>{{"k?", "größe\n\tx?"}}));
}

TEST(Model, NoGraph) {
  auto model = tiny_model();
  model.proto.clear_graph();
  expect_error(model, kBad, "no graph");
}

TEST(Model, IrVersions) {
  for (const int ir : {3, 4, 10, 14}) EXPECT_EQ(import(tiny_model(13, ir)).info.ir_version, ir);
  expect_error(tiny_model(13, 0), kBad, "IR version does not exist");
  expect_error(tiny_model(13, 2), kUnsupported, "IR version 2 is not supported: 3 to 14");
  expect_error(tiny_model(13, 15), kUnsupported, "IR version 15 is not supported");
  auto none = tiny_model();
  none.proto.clear_ir_version();
  expect_error(none, kBad, "does not say its IR version");
}

TEST(Model, OperatorSets) {
  for (const int opset : {6, 7, 13, 20, 28}) EXPECT_EQ(import(tiny_model(opset)).info.opset, opset);
  expect_error(tiny_model(0), kBad, "version 0 does not exist");
  expect_error(tiny_model(-1), kBad, "version -1 does not exist");
  expect_error(tiny_model(5), kUnsupported, "version 5 is not supported: 6 to 28 are");
  expect_error(tiny_model(29), kUnsupported, "version 29 is not supported");
  auto none = tiny_model();
  none.proto.clear_opset_import();
  expect_error(none, kBad, "no version of the ONNX operator set");
  auto only_other = none;
  only_other.proto.add_opset_import()->set_domain("ai.onnx.ml");
  expect_error(only_other, kBad, "no version of the ONNX operator set");
  auto twice = tiny_model();
  auto* second = twice.proto.add_opset_import();
  second->set_domain("ai.onnx");
  second->set_version(13);
  expect_error(twice, kBad, "imported twice");
  auto unused = tiny_model();
  unused.proto.add_opset_import()->set_domain("com.microsoft");
  EXPECT_NO_THROW(import(unused));
}

TEST(Model, UnknownDomainsAndOperators) {
  auto domain = tiny_model();
  domain.last().set_domain("com.example");
  expect_error(domain, kUnsupported, "'relu' (Relu: domain 'com.example')");
  domain.last().set_domain("ai.onnx.preview.training");
  expect_error(domain, kUnsupported, "ai.onnx.preview.training");
  domain.last().set_domain("ai.onnx");
  EXPECT_NO_THROW(import(domain));
  ModelBuilder unknown;
  unknown.input("x", {1}).add("Frobnicate", {"x"}, {"y"}, {}, "f").output("y");
  expect_error(unknown, kUnsupported, "'f' (Frobnicate, opset 13)");
  ModelBuilder late(11);
  late.input("x", {1, 1, 2, 2}).add("Upsample", {"x", "x"}, {"y"}, {}, "up").output("y");
  expect_error(late, kUnsupported, "'up' (Upsample, opset 11: it belongs to opsets 6 to 9)");
  ModelBuilder nothing;
  nothing.input("x", {1}).add("", {"x"}, {"y"}).output("y");
  expect_error(nothing, kBad, "no operator");
}

TEST(Model, EveryUnsupportedNodeIsListedAtOnce) {
  ModelBuilder model;
  model.input("x", {1, 1, 4, 4})
      .add("Bar", {"x", "x", "x"}, {"a", "h", "c"}, {}, "scan")
      .add("Relu", {"a"}, {"b"})
      .add("LpPool", {"b"}, {"r"}, {attr("kernel_shape", Ints{1, 1}), attr("ceil_mode", 1)}, "pool")
      .add("Foo", {"r"}, {"i"}, {}, "branch")
      .add("Add", {"i", "h"}, {"y"})
      .output("y");
  const auto error = import_error(model);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), kUnsupported);
  EXPECT_EQ(error->sentence(),
            "the model has 3 nodes that are not supported: 'scan' (Bar, opset 13), 'pool' "
            "(LpPool, opset 13: with ceil_mode), 'branch' (Foo, opset 13)");
}

TEST(Model, LongListsAreCut) {
  ModelBuilder model;
  model.input("x", {1});
  for (int i = 0; i < 25; ++i) {
    const auto name = "y" + std::to_string(i);
    model.add("Foo", {"x"}, {name}).output(name);
  }
  expect_error(model, kUnsupported, "the model has 25 nodes that are not supported: 'y0' (Foo");
  expect_error(model, kUnsupported, "'y19' (Foo, opset 13) and 5 more");
}

TEST(Graph, UnsortedNodesAreSorted) {
  ModelBuilder model;
  model.input("x", {1})
      .add("Relu", {"b"}, {"c"})
      .add("Relu", {"a"}, {"b"})
      .add("Relu", {"x"}, {"a"})
      .output("c");
  const auto got = import(model);
  ASSERT_EQ(got.info.nodes.size(), 3U);
  EXPECT_EQ(got.info.nodes[0].name, "a");
  EXPECT_EQ(got.info.nodes[1].name, "b");
  EXPECT_EQ(got.info.nodes[2].name, "c");
}

TEST(Graph, SortedNodesStayInFileOrder) {
  ModelBuilder model;
  model.input("x", {1})
      .add("Relu", {"x"}, {"a"})
      .add("Relu", {"x"}, {"b"})
      .add("Relu", {"a"}, {"c"})
      .add("Add", {"b", "c"}, {"d"})
      .output("d");
  const auto got = import(model);
  std::string order;
  for (const auto& node : got.info.nodes) order += node.name;
  EXPECT_EQ(order, "abcd");
}

TEST(Graph, Cycles) {
  ModelBuilder model;
  model.input("x", {1})
      .add("Relu", {"x"}, {"start"})
      .add("Add", {"start", "c"}, {"a"}, {}, "in1")
      .add("Relu", {"a"}, {"b"}, {}, "in2")
      .add("Relu", {"b"}, {"c"}, {}, "in3")
      .add("Relu", {"c"}, {"y"}, {}, "behind")
      .output("y");
  const auto error = import_error(model);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), kBad);
  EXPECT_EQ(error->sentence(), "the graph has a cycle");
  EXPECT_EQ(error->context().node.substr(0, 2), "in") << error->what();
  ModelBuilder self;
  self.input("x", {1}).add("Add", {"x", "y"}, {"y"}, {}, "self").output("y");
  expect_error(self, kBad, "the graph has a cycle (file model.onnx, node self, op Add)");
}

TEST(Graph, EveryInputIsDefined) {
  ModelBuilder model;
  model.input("x", {1}).add("Add", {"x", "ghost"}, {"y"}, {}, "add").output("y");
  expect_error(model, kBad, "the input 'ghost' is defined nowhere (file model.onnx, node add");
}

TEST(Graph, EveryValueIsDefinedOnce) {
  const auto twice = [](const std::string& output) {
    ModelBuilder model;
    model.input("x", {1})
        .initializer("w", {1}, Floats{1})
        .add("Relu", {"x"}, {"a"})
        .add("Relu", {"a"}, {output}, {}, "second")
        .output("a");
    return model;
  };
  EXPECT_NO_THROW(import(twice("b")));
  for (const auto* name : {"a", "x", "w"})
    expect_error(twice(name), kBad, "' is defined twice (file model.onnx, node second");
  auto inputs = tiny_model();
  inputs.input("x", {1});
  expect_error(inputs, kBad, "declared twice");
  auto weights = tiny_model();
  weights.initializer("w", {1}, Floats{1}).initializer("w", {1}, Floats{1});
  expect_error(weights, kBad, "'w' is defined twice");
  ModelBuilder same_node;
  same_node.input("x", {4}).add("Split", {"x"}, {"y", "y"}).output("y");
  expect_error(same_node, kBad, "'y' is defined twice");
}

TEST(Graph, Outputs) {
  auto ghost = tiny_model();
  ghost.output("ghost");
  expect_error(ghost, kBad, "the graph's output 'ghost' is defined nowhere");
  auto none = tiny_model();
  none.proto.mutable_graph()->clear_output();
  expect_error(none, kBad, "no outputs");
  auto twice = tiny_model();
  twice.output("y");
  expect_error(twice, kBad, "declared twice");
  // An input, and a constant, may be outputs as they are.
  auto through = tiny_model();
  through.initializer("w", {1}, Floats{1}).output("x").output("w");
  const auto got = import(through);
  ASSERT_EQ(got.graph.outputs.size(), 3U);
  EXPECT_EQ(got.graph.outputs[1], got.graph.inputs[0]);
}

TEST(Graph, NoNodes) {
  ModelBuilder model;
  model.input("x", {1}).output("x");
  expect_error(model, kBad, "no nodes");
}

TEST(Graph, InputsAndOutputsOfANode) {
  const auto model = [](const NodeProto& proto) {
    ModelBuilder out;
    out.input("x", {1, 1, 4, 4}).initializer("w", {1, 1, 1, 1}, Floats{1}).add(proto).output("y");
    return out;
  };
  EXPECT_NO_THROW(import(model(node("Conv", {"x", "w"}, {"y"}))));
  expect_error(model(node("Conv", {"x"}, {"y"})), kBad, "input 1 is missing");
  expect_error(model(node("Conv", {"x", ""}, {"y"})), kBad, "input 1 is missing");
  expect_error(model(node("Conv", {}, {"y"})), kBad, "input 0 is missing");
  expect_error(model(node("Conv", {"", "w"}, {"y"})), kBad, "input 0 is missing");
  expect_error(model(node("Conv", {"x", "w", "w", "w"}, {"y"})), kBad, "4 inputs, 3 at most");
  expect_error(model(node("Relu", {"x"}, {"y", "z"})), kBad, "2 outputs, 1 at most");
  expect_error(model(node("Sum", {"x", "", "x"}, {"y"})), kBad, "input 1 is missing");
  expect_error(model(node("Concat", {"", "x"}, {"y"}, {attr("axis", 0)})), kBad,
               "input 0 is missing");
  auto silent = model(node("Relu", {"x"}, {"y"}));
  silent.add("Relu", {"x"}, {});
  EXPECT_NO_THROW(import(silent)) << "nobody needs what it does not give";
}

TEST(Graph, OutputsThatAreNotComputed) {
  const auto model = [](const char* other) {
    ModelBuilder out;
    out.input("x", {1, 1, 4, 4})
        .add("Dropout", {"x"}, {"p", other}, {}, "drop")
        .add("Relu", {"p"}, {"y"})
        .output("y");
    return out;
  };
  EXPECT_NO_THROW(import(model("")));
  EXPECT_NO_THROW(import(model("indices")));
  auto read = model("indices");
  read.add("Identity", {"indices"}, {"z"});
  EXPECT_NO_THROW(import(read)) << "nobody needs z";
  read.proto.mutable_graph()->mutable_output(0)->set_name("z");
  expect_error(read, kUnsupported, "'drop' (Dropout, opset 13: its output 1 is used)");
  auto declared = model("indices");
  declared.output("indices");
  const auto got = import(declared);
  EXPECT_EQ(got.graph.outputs.size(), 1U);
  ASSERT_EQ(got.info.outputs.size(), 2U);
  EXPECT_EQ(got.info.outputs[0].refusal, "");
  EXPECT_NE(got.info.outputs[1].refusal.find("its output 1 is used"), std::string::npos);
}

TEST(Graph, UnusedFirstOutput) {
  ModelBuilder model;
  model.input("x", {1}).add("Relu", {"x"}, {""}, {}, "idle").add("Relu", {"x"}, {"y"}).output("y");
  EXPECT_EQ(import(model).graph.nodes().size(), 2U);
}

TEST(Graph, InputTypes) {
  const auto typed = [](int type) {
    ModelBuilder model;
    model.input("x", {1}, type).add("Identity", {"x"}, {"y"}).output("y", {1}, type);
    return model;
  };
  const auto type_of = [&](int type) { return import(typed(type)).info.inputs.at(0).type; };
  EXPECT_EQ(type_of(kFloat), DataType::f32);
  EXPECT_EQ(type_of(kFloat16), DataType::f16);
  EXPECT_EQ(type_of(kBfloat16), DataType::bf16);
  EXPECT_EQ(type_of(kDouble), DataType::f64);
  EXPECT_EQ(type_of(kInt8), DataType::i8);
  EXPECT_EQ(type_of(kUint8), DataType::u8);
  EXPECT_EQ(type_of(kInt16), DataType::i16);
  EXPECT_EQ(type_of(kUint16), DataType::u16);
  EXPECT_EQ(type_of(kInt32), DataType::i32);
  EXPECT_EQ(type_of(kUint32), DataType::u32);
  EXPECT_EQ(type_of(kInt64), DataType::i64);
  EXPECT_EQ(type_of(kUint64), DataType::u64);
  EXPECT_EQ(type_of(kBool), DataType::boolean);
  const auto graph_type = [&](int type) {
    const auto got = import(typed(type));
    return got.graph.value(got.graph.inputs.at(0)).type;
  };
  EXPECT_EQ(graph_type(kFloat16), graph::DType::f32);
  EXPECT_EQ(graph_type(kInt32), graph::DType::i64);
  EXPECT_EQ(graph_type(kBool), graph::DType::boolean);
  expect_error(typed(0), kBad, "an element type is missing");
  expect_error(typed(99), kBad, "the element type 99 does not exist");
  expect_error(typed(-1), kBad, "does not exist");
  expect_error(typed(kString), kUnsupported, "the element type string");
  expect_error(typed(14), kUnsupported, "complex");
  expect_error(typed(17), kUnsupported, "float8");
  expect_error(typed(22), kUnsupported, "less than 8 bits");
}

TEST(Graph, InputDeclarations) {
  const auto edit = [](ModelBuilder& model) -> fovea_onnx::ValueInfoProto& {
    return (*model.proto.mutable_graph()->mutable_input())[0];
  };
  auto untyped = tiny_model();
  edit(untyped).clear_type();
  expect_error(untyped, kBad, "an input has no type");
  // A sequence, an optional, a map or a sparse tensor.
  auto other = tiny_model();
  edit(other).mutable_type()->clear_tensor_type();
  expect_error(other, kUnsupported, "not a dense tensor");
  auto unranked = tiny_model();
  edit(unranked).mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_FALSE(import(unranked).info.inputs.at(0).is_ranked);
  EXPECT_TRUE(import(unranked).info.inputs.at(0).shape.empty());
  auto negative = tiny_model();
  const auto extent = [&](std::int64_t value) {
    edit(negative)
        .mutable_type()
        ->mutable_tensor_type()
        ->mutable_shape()
        ->mutable_dim(0)
        ->set_dim_value(value);
    return negative;
  };
  EXPECT_EQ(import(extent(-1)).info.inputs[0].shape, (Shape{-1, 2})) << "-1 stands for open";
  expect_error(extent(-2), kBad, "a declared extent is out of range");
  expect_error(extent(std::int64_t{1} << 62), kBad, "a declared extent is out of range");
  auto deep = tiny_model();
  for (int i = 0; i < 7; ++i)
    edit(deep).mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(1);
  expect_error(deep, kUnsupported, "more than 8 dimensions");
  auto nameless = tiny_model();
  nameless.input("", {1});
  expect_error(nameless, kBad, "an input has no name");
}

TEST(Graph, InitializersListedAsInputs) {
  ModelBuilder model(7, 3);
  model.input("x", {1, 2})
      .input("w", {2, 2})
      .initializer("w", {2, 2}, Floats{1, 2, 3, 4})
      .add("MatMul", {"x", "w"}, {"y"})
      .output("y");
  const auto got = import(model);
  ASSERT_EQ(got.info.inputs.size(), 1U);
  EXPECT_EQ(got.info.inputs[0].name, "x");
  EXPECT_TRUE(got.graph.value(got.graph.find_value("w")).constant);
}

TEST(Graph, LongChains) {
  ModelBuilder model;
  model.input("v0", {1});
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i)
    model.add("Relu", {"v" + std::to_string(i)}, {"v" + std::to_string(i + 1)});
  model.output("v" + std::to_string(kCount));
  EXPECT_EQ(import(model).graph.nodes().size(), static_cast<std::size_t>(kCount));
}

TEST(Graph, SparseInitializers) {
  auto model = tiny_model();
  model.proto.mutable_graph()->add_sparse_initializer()->mutable_values()->set_name("s");
  EXPECT_NO_THROW(import(model)) << "nobody needs it";
  model.add("Add", {"y", "s"}, {"z"});
  model.proto.mutable_graph()->mutable_output(0)->set_name("z");
  expect_error(model, kUnsupported,
               "sparse initializers are not supported (file model.onnx, node s");
  model.proto.mutable_graph()->mutable_sparse_initializer(0)->mutable_values()->clear_name();
  expect_error(model, kBad, "an initializer has no name");
}

}  // namespace
}  // namespace fovea::test
