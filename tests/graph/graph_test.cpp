#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

TEST(Graph, RefusesANameTwice) {
  Builder b;
  b.input("x", {1});
  expect_error([&] { b.input("x", {1}); }, ErrorCode::bad_model, "defined twice (node x)");
  expect_error([&] { b.floats("x", {}, {1}); }, ErrorCode::bad_model, "defined twice");
}

TEST(Graph, RefusesAConstantThatDoesNotFillItsShape) {
  expect_error(
      [] {
        Constant::of_floats({2, 2}, {1, 2, 3});
      },
      ErrorCode::bad_model, "does not fit");
  expect_error(
      [] {
        Constant::of_ints({std::int64_t{1} << 40, 1 << 30}, {});
      },
      ErrorCode::bad_model, "elements");
}

TEST(Graph, FindsValuesByName) {
  Builder b;
  const auto x = b.input("x", {1});
  const auto y = b.unary("y", UnaryKind::relu, x);
  EXPECT_EQ(b.graph.find_value("y"), y);
  EXPECT_FALSE(b.graph.find_value("z"));
  EXPECT_EQ(b.graph.unique_name("z"), "z");
  EXPECT_EQ(b.graph.unique_name("y"), "y2");
}

TEST(Graph, TrimsAbsentInputsAndNamesNamelessNodes) {
  Builder b;
  const auto x = b.input("x", {1});
  const auto id = b.graph.add_node("", "Clip", Unary{}, {x, {}, {}}, {"y"});
  EXPECT_EQ(b.graph.node(id).inputs, std::vector<ValueId>{x});
  EXPECT_EQ(b.graph.node(id).name, "y");
}

TEST(Graph, ListsAReaderOncePerRead) {
  Builder b;
  const auto x = b.input("x", {1});
  b.binary("y", BinaryKind::add, x, x);
  EXPECT_EQ(b.graph.uses()[0], (std::vector<NodeId>{{0}, {0}}));
}

TEST(Graph, SortsStably) {
  Builder b;
  const auto x = b.input("x", {1});
  const auto a = b.unary("a", UnaryKind::relu, x);
  b.unary("b", UnaryKind::relu, x);
  const auto c = b.unary("c", UnaryKind::relu, x);
  // a now needs c; b keeps its place before c.
  b.graph.node(b.value(a).producer).inputs = {c};
  b.graph.sort();
  std::vector<std::string> order;
  for (const auto& node : b.graph.nodes()) order.push_back(node.name);
  EXPECT_EQ(order, (std::vector<std::string>{"b", "c", "a"}));
  for (std::size_t n = 0; n < 3; ++n)
    EXPECT_EQ(b.value(b.graph.nodes()[n].outputs[0]).producer, NodeId{static_cast<int>(n)});
}

TEST(Graph, RefusesACycle) {
  Builder b;
  const auto x = b.input("x", {1});
  const auto y = b.unary("y", UnaryKind::relu, x);
  const auto z = b.unary("z", UnaryKind::relu, y);
  b.graph.node(b.value(y).producer).inputs = {z};
  expect_error([&] { b.graph.sort(); }, ErrorCode::bad_model, "cycle (node y, op Relu)");
}

TEST(Graph, SortsALongChainWithoutRecursion) {
  Builder b;
  auto v = b.input("x", {1});
  for (int i = 0; i < 100000; ++i) v = b.unary("n" + std::to_string(i), UnaryKind::relu, v);
  b.graph.sort();
  EXPECT_EQ(b.graph.nodes().back().outputs[0], v);
  EXPECT_TRUE(has_shape(b.bound(), v, {1}));
}

TEST(Graph, ErasesNodesAndRenumbersProducers) {
  Builder b;
  const auto x = b.input("x", {1});
  const auto y = b.unary("y", UnaryKind::relu, x);
  const auto z = b.unary("z", UnaryKind::tanh, y);
  b.output(z);
  b.graph.replace_uses(y, x);
  b.graph.erase_nodes({true, false});
  ASSERT_EQ(b.graph.nodes().size(), 1u);
  EXPECT_FALSE(b.value(y).producer);
  EXPECT_EQ(b.value(z).producer, NodeId{0});
  EXPECT_EQ(b.graph.nodes()[0].inputs, std::vector<ValueId>{x});
}

TEST(Graph, ReplacesGraphOutputs) {
  Builder b;
  const auto x = b.input("x", {1});
  const auto y = b.unary("y", UnaryKind::relu, x);
  b.output(y);
  b.graph.replace_uses(y, x);
  EXPECT_EQ(b.graph.outputs, std::vector<ValueId>{x});
}

TEST(Verify, ReportsAShapeThatAPassBroke) {
  Builder b;
  const auto y = b.unary("y", UnaryKind::relu, b.input("x", {1, 2}));
  b.bound();
  b.graph.value(y).shape = {2, 1};
  expect_error(
      [&] { verify(b.graph, "some_pass"); }, ErrorCode::internal,
      "after some_pass: the output \"y\" is f32[2, 1] where f32[1, 2] is inferred (node y");
}

TEST(Verify, ReportsEdgesThatAPassBroke) {
  Builder b;
  const auto x = b.input("x", {1, 2});
  const auto y = b.unary("y", UnaryKind::relu, x);
  const auto z = b.unary("z", UnaryKind::relu, y);
  b.bound();
  auto broken = b.graph;
  broken.node({0}).inputs = {z};
  expect_error([&] { verify(broken, "p"); }, ErrorCode::internal, "not made by anything before");
  broken = b.graph;
  broken.node({0}).inputs = {ValueId{99}};
  expect_error([&] { verify(broken, "p"); }, ErrorCode::internal, "does not exist");
  broken = b.graph;
  broken.node({1}).outputs = {y};
  expect_error([&] { verify(broken, "p"); }, ErrorCode::internal, "made twice");
  broken = b.graph;
  broken.erase_nodes({false, true});
  expect_error([&] { verify(broken, "p"); }, ErrorCode::internal, "output of the graph");
  broken = b.graph;
  broken.outputs.clear();
  expect_error([&] { verify(broken, "p"); }, ErrorCode::internal, "no outputs");
}

TEST(Verify, ReportsAnUnresolvedParameter) {
  Builder b;
  const auto x = b.input("x", {2, 3});
  const auto y = b.op("y", Reshape{}, {x, b.ints("s", {6})});
  b.bound();
  auto& node = b.graph.node(b.value(y).producer);
  node.inputs.push_back(b.graph.find_value("s"));
  node.op = Reshape{};
  expect_error([&] { verify(b.graph, "p"); }, ErrorCode::internal, "still an input");
}

TEST(Print, IsStableText) {
  Builder b;
  const auto x = b.input("data", {-1, 3, 8, 8});
  const auto conv =
      b.op("conv", Conv{.window = {.strides = {2, 2}, .pads_begin = {1, 1}, .pads_end = {1, 1}}},
           {x, b.weights("w", {4, 3, 3, 3}), b.weights("bias", {4})});
  const auto act = b.op("act", Unary{.kind = UnaryKind::leaky_relu, .alpha = 0.1f}, {conv});
  const auto shape = b.op("shape", ShapeOf{}, {act});
  const auto first = b.op("first", Gather{}, {shape, b.int_scalar("zero", 0)});
  const auto rows = b.op("rows", Reshape{ReshapeKind::unsqueeze, Ints{0}, false}, {first});
  const auto target = b.op("target", Concat{}, {rows, b.ints("minus", {-1})});
  const auto flat = b.op("flat", Reshape{}, {act, target});
  const auto gemm = b.op("fc", Gemm{.trans_b = true}, {flat, b.weights("fcw", {10, 64})});
  b.output(b.op("prob", Softmax{.axis = 1}, {gemm}));
  b.bound(2);
  EXPECT_EQ(print(b.graph),
            "input data f32[2, 3, 8, 8]\n"
            "conv f32[2, 4, 4, 4] = Conv(data, w f32[4, 3, 3, 3], bias f32[4]) kernel=[3, 3] "
            "strides=[2, 2] dilations=[1, 1] pads=[1, 1, 1, 1] group=1\n"
            "act f32[2, 4, 4, 4] = LeakyRelu(conv) alpha=0.1\n"
            "shape i64[4] constant = Shape(act)\n"
            "first i64[] constant = Gather(shape, zero i64[]) axis=0\n"
            "rows i64[1] constant = Reshape(first)\n"
            "target i64[2] constant = Concat(rows, minus i64[1]) axis=0\n"
            "flat f32[2, 64] = Reshape(act)\n"
            "fc f32[2, 10] = Gemm(flat, fcw f32[10, 64]) trans_b\n"
            "prob f32[2, 10] = Softmax(fc) axis=1\n"
            "output prob\n");
}

}  // namespace
}  // namespace fovea::graph::test
