// What no wanted output needs is no obstacle, whatever it is.
#include <chrono>

#include "import_helpers.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

constexpr auto kUnsupported = ErrorCode::unsupported;

/// y = Relu(x), and a place for more.
ModelBuilder with_relu() {
  ModelBuilder model;
  model.input("x", {1, 2}).add("Relu", {"x"}, {"y"}, {}, "relu").output("y", {1, 2});
  return model;
}

/// y alone is in the graph, and made of Relu.
void expect_relu_alone(const onnx::Imported& got) {
  ASSERT_EQ(got.graph.outputs.size(), 1U);
  EXPECT_EQ(got.graph.value(got.graph.outputs[0]).name, "y");
  for (const auto& node : got.graph.nodes()) EXPECT_EQ(node.op_type, "Relu") << node.name;
}

TEST(Unread, DeadNodes) {
  for (const auto* domain : {"", "com.example", "ai.onnx.preview.training"}) {
    auto model = with_relu();
    model.add("Frobnicate", {"x"}, {"a"}, {attr("secret", 1)}, "f");
    model.last().set_domain(domain);
    model.add("Relu", {"a"}, {"b"});
    expect_relu_alone(import(model));
    EXPECT_TRUE(import(model).missing_outputs.empty());
    EXPECT_EQ(import(model).info.nodes.size(), 3U) << "all are told";
  }
}

TEST(Unread, NodesThatContradictTheFormat) {
  auto model = with_relu();
  model.add("Relu", {"x"}, {"a"}, {attr("unknown", 1)}, "odd")
      .add("Conv", {"x"}, {"b"}, {}, "short");
  expect_relu_alone(import(model));
  model.output("b");
  const auto got = import(model);
  ASSERT_EQ(got.missing_outputs.size(), 1U);
  EXPECT_EQ(got.missing_outputs[0].index, 1U);
  EXPECT_EQ(got.missing_outputs[0].error.code(), ErrorCode::bad_model);
  EXPECT_EQ(got.info.outputs[1].refusal, "input 1 is missing");
}

TEST(Unread, NodesAtAnotherOutput) {
  auto model = with_relu();
  model.add("Unique", {"x"}, {"a"}, {}, "unique")
      .add("Bar", {"x", "x", "x"}, {"", "h"}, {}, "scan")
      .add("Concat", {"y", "h"}, {"b"}, {attr("axis", 0)})
      .output("a", {-1, 3}, kInt64)
      .output("b");
  const auto got = import(model);
  expect_relu_alone(got);
  ASSERT_EQ(got.info.outputs.size(), 3U);
  ASSERT_EQ(got.missing_outputs.size(), 2U);
  EXPECT_FALSE(got.missing_outputs[0].may_be_scores) << "integers";
  EXPECT_TRUE(got.missing_outputs[1].may_be_scores);
  EXPECT_EQ(got.info.outputs[1].refusal,
            "the model has a node that is not supported: 'unique' (Unique, opset 13)");
  EXPECT_EQ(got.info.outputs[2].refusal,
            "the model has a node that is not supported: 'scan' (Bar, opset 13)");
}

TEST(Unread, OutputsAreOfTheTypeThatTheyAre) {
  auto model = with_relu();
  model.output("names", {1}, kString).output("spectrum", {1}, 14).output("sequence");
  model.proto.mutable_graph()->mutable_output(3)->mutable_type()->Clear();
  model.add("Frobnicate", {"x"}, {"names", "spectrum", "sequence"});
  const auto got = import(model).info.outputs;
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[0].type, DataType::f32);
  EXPECT_EQ(got[1].type, DataType::string);
  EXPECT_EQ(got[2].type, DataType::other);
  EXPECT_EQ(got[3].type, DataType::other);
}

TEST(Unread, InputsAndInitializers) {
  auto model = with_relu();
  model.input("text", {1}, kString).initializer(empty_tensor("four", {0}, 22));
  auto& sequence = *model.proto.mutable_graph()->add_input();
  sequence.set_name("sequence");
  sequence.mutable_type();
  model.initializer(empty_tensor("words", {0}, kString))
      .add("Identity", {"text"}, {"a"})
      .add("Identity", {"sequence"}, {"b"})
      .add("Cast", {"four"}, {"c"}, {attr("to", kFloat)})
      .add("Identity", {"words"}, {"d"})
      .output("a", {1}, kString);
  const auto got = import(model);
  expect_relu_alone(got);
  ASSERT_EQ(got.info.inputs.size(), 1U);
  EXPECT_EQ(got.info.inputs[0].name, "x");
  EXPECT_EQ(got.info.outputs[1].refusal, "the element type string is not supported");
  for (const auto* name : {"a", "b", "c", "d"}) {
    auto wanted = model;
    wanted.proto.mutable_graph()->mutable_output()->DeleteSubrange(0, 2);
    wanted.output(name);
    expect_error(wanted, kUnsupported, "");
  }
}

TEST(Unread, WhatIsLeftIsListed) {
  auto model = with_relu();
  model.add("Foo", {"x"}, {"a"}, {}, "f1").add("Foo", {"x"}, {"b"}, {}, "f2");
  model.add("Foo", {"b"}, {"c"}, {}, "f3").output("c");
  EXPECT_EQ(import(model).info.outputs[1].refusal,
            "the model has 2 nodes that are not supported: 'f2' (Foo, opset 13), 'f3' (Foo, opset "
            "13)");
}

// Missing outputs are told each by what it depends on, not by all of the model: a square of this
// takes a minute.
TEST(Unread, ManyOutputs) {
  auto model = with_relu();
  constexpr int kOutputs = 20'000;
  for (int i = 0; i < kOutputs; ++i) {
    const auto name = "a" + std::to_string(i);
    model.add("Foo", {"x"}, {name}).output(name);
  }
  const auto start = std::chrono::steady_clock::now();
  const auto got = import(model);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
  ASSERT_EQ(got.missing_outputs.size(), std::size_t{kOutputs});
  EXPECT_EQ(got.info.outputs.back().refusal,
            "the model has a node that is not supported: 'a19999' (Foo, opset 13)");
}

TEST(Unread, ANodeThatFailsHalfWayLeavesNothing) {
  // An attribute that does not belong is found when the operator is in the graph already.
  auto model = with_relu();
  model.add("ReduceL2", {"x"}, {"a"}, {attr("keepdims", 1), attr("unknown", 1)}, "odd")
      .add("Relu", {"a"}, {"b"})
      .output("b");
  const auto got = import(model);
  ASSERT_EQ(got.graph.outputs.size(), 1U);
  EXPECT_FALSE(got.graph.value(got.graph.find_value("b")).producer);
  EXPECT_EQ(got.info.outputs[1].refusal,
            "the attribute 'unknown' does not belong to this operator");
}

}  // namespace
}  // namespace fovea::test
