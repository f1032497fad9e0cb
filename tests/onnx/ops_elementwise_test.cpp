// Each operator becomes the graph operator it should, in every range of opsets: element by element.
#include <limits>
#include <tuple>

#include "op_helpers.hpp"

namespace fovea::test {
namespace {

using graph::UnaryKind;

TEST(Ops, Unary) {
  const std::vector<std::tuple<std::string, UnaryKind, int>> kinds{
      {"Identity", UnaryKind::identity, 6}, {"Relu", UnaryKind::relu, 6},
      {"Sigmoid", UnaryKind::sigmoid, 6},   {"HardSwish", UnaryKind::hard_swish, 14},
      {"Tanh", UnaryKind::tanh, 6},         {"Softplus", UnaryKind::softplus, 6},
      {"Softsign", UnaryKind::softsign, 6}, {"Mish", UnaryKind::mish, 18},
      {"Erf", UnaryKind::erf, 9},           {"Sqrt", UnaryKind::sqrt, 6},
      {"Exp", UnaryKind::exp, 6},           {"Log", UnaryKind::log, 6},
      {"Abs", UnaryKind::abs, 6},           {"Neg", UnaryKind::neg, 6},
      {"Floor", UnaryKind::floor, 6},       {"Reciprocal", UnaryKind::reciprocal, 6},
      {"Ceil", UnaryKind::ceil, 6},         {"Round", UnaryKind::round, 11},
      {"Sign", UnaryKind::sign, 9},         {"Sin", UnaryKind::sin, 7},
      {"Cos", UnaryKind::cos, 7},           {"Not", UnaryKind::logical_not, 6}};
  for (const auto& [op, kind, first] : kinds) {
    SCOPED_TRACE(op);
    EXPECT_EQ(op_of<graph::Unary>(first, op, 1).kind, kind);
    EXPECT_EQ(op_of<graph::Unary>(28, op, 1).kind, kind);
    if (first > 6) {
      EXPECT_THROW(op_of<graph::Unary>(first - 1, op, 1), Error);
    }
  }
}

TEST(Ops, UnaryParameters) {
  const auto expect = [](const graph::Unary& op, UnaryKind kind, float alpha, float beta,
                         float gamma) {
    EXPECT_EQ(op.kind, kind);
    EXPECT_EQ(op.alpha, alpha);
    EXPECT_EQ(op.beta, beta);
    EXPECT_EQ(op.gamma, gamma);
  };
  expect(op_of<graph::Unary>(13, "LeakyRelu", 1), UnaryKind::leaky_relu, 0.01f, 0, 0);
  expect(op_of<graph::Unary>(13, "LeakyRelu", 1, {attr("alpha", 0.5)}), UnaryKind::leaky_relu, 0.5f,
         0, 0);
  expect(op_of<graph::Unary>(13, "Elu", 1), UnaryKind::elu, 1, 0, 0);
  expect(op_of<graph::Unary>(13, "Celu", 1, {attr("alpha", 2.0)}), UnaryKind::celu, 2, 0, 0);
  expect(op_of<graph::Unary>(13, "Selu", 1), UnaryKind::selu, 1.67326319217681884765625f, 0,
         1.05070102214813232421875f);
  expect(op_of<graph::Unary>(13, "Selu", 1, {attr("alpha", 1.0), attr("gamma", 2.0)}),
         UnaryKind::selu, 1, 0, 2);
  expect(op_of<graph::Unary>(13, "HardSigmoid", 1), UnaryKind::hard_sigmoid, 0.2f, 0.5f, 0);
  expect(op_of<graph::Unary>(20, "Gelu", 1), UnaryKind::gelu, 0, 0, 0);
  expect(op_of<graph::Unary>(20, "Gelu", 1, {attr("approximate", "tanh")}), UnaryKind::gelu_tanh, 0,
         0, 0);
  expect(op_of<graph::Unary>(24, "Swish", 1), UnaryKind::silu, 1, 0, 0);
  expect(op_of<graph::Unary>(24, "Swish", 1, {attr("alpha", 1.702)}), UnaryKind::silu, 1.702f, 0,
         0);
}

TEST(Ops, Clip) {
  const auto six = op_of<graph::Unary>(6, "Clip", 1, {attr("min", 0.0), attr("max", 6.0)});
  EXPECT_EQ(six.kind, UnaryKind::clip);
  EXPECT_EQ(six.alpha, 0);
  EXPECT_EQ(six.beta, 6);
  EXPECT_FALSE(six.bounds_are_inputs);
  EXPECT_EQ(op_of<graph::Unary>(6, "Clip", 1).beta, std::numeric_limits<float>::max());
  expect_error(
      ModelBuilder(11).input("x", {1}).add("Clip", {"x"}, {"y"}, {attr("max", 6.0)}).output("y"),
      ErrorCode::bad_model, "'max' does not belong");
  EXPECT_FALSE(op_of<graph::Unary>(11, "Clip", 1).bounds_are_inputs);
  EXPECT_EQ(reads(import_node(11, "Clip", {"x", "", ""})), Strings{"x"});
  const auto bounded = [](const Strings& inputs) {
    return import(ModelBuilder(13)
                      .input("x", {2, 3})
                      .initializer("low", {}, Floats{0})
                      .add("Shape", {"x"}, {"extents"})
                      .add("ReduceSum", {"extents"}, {"sum"}, {attr("keepdims", 0)})
                      .add("Cast", {"sum"}, {"high"}, {attr("to", 1)})
                      .add("Clip", inputs, {"y"})
                      .output("y"));
  };
  for (const auto& inputs : {Strings{"x", "low", "high"}, Strings{"x", "", "high"}}) {
    const auto got = bounded(inputs);
    const auto& last = got.graph.nodes().back();
    ASSERT_TRUE(std::holds_alternative<graph::Unary>(last.op));
    EXPECT_TRUE(std::get<graph::Unary>(last.op).bounds_are_inputs);
    EXPECT_EQ(reads(got)[1], inputs[1].empty() ? "-" : inputs[1]);
    EXPECT_EQ(reads(got)[2], "high");
  }
}

/// Bounds that the values of the inputs decide, not their extents alone, are a choice.
TEST(Ops, ClipByComputedBoundsIsAWhere) {
  for (const auto& [inputs, nodes] :
       {std::pair{Strings{"x", "a", "b"}, 6u}, std::pair{Strings{"x", "a"}, 3u},
        std::pair{Strings{"x", "", "b"}, 3u}}) {
    const auto got = import_node(11, "Clip", inputs);
    ASSERT_EQ(got.graph.nodes().size(), nodes);
    EXPECT_TRUE(std::holds_alternative<graph::Where>(got.graph.nodes().back().op));
  }
}

TEST(Ops, ThresholdedReluIsAWhere) {
  const auto got = import_node(10, "ThresholdedRelu", {"x"}, {attr("alpha", 2.0)});
  ASSERT_EQ(got.graph.nodes().size(), 2U);
  EXPECT_EQ(std::get<graph::Binary>(got.graph.nodes()[0].op).kind, graph::BinaryKind::greater);
  EXPECT_TRUE(std::holds_alternative<graph::Where>(got.graph.nodes()[1].op));
  EXPECT_EQ(reads(got)[1], "x");
}

TEST(Ops, Dropout) {
  for (const int opset : {6, 7, 10}) {
    const auto got = import_node(opset, "Dropout", {"x"}, {attr("ratio", 0.3)}, 2);
    EXPECT_EQ(only_op<graph::Unary>(got).kind, UnaryKind::identity);
  }
  const auto dropout = [](const TensorProto& training) {
    return ModelBuilder(13)
        .input("x", {1})
        .initializer("ratio", {}, Floats{0.5f})
        .initializer(training)
        .add("Dropout", {"x", "ratio", "t"}, {"y", "mask"}, {attr("seed", 1)})
        .output("y");
  };
  const std::vector<std::uint8_t> no{0};
  const std::vector<std::uint8_t> yes{1};
  EXPECT_EQ(reads(import(dropout(raw_tensor("t", {}, kBool, no)))), Strings{"x"});
  expect_error(dropout(raw_tensor("t", {}, kBool, yes)), ErrorCode::unsupported, "training");
}

TEST(Ops, Binary) {
  using Kind = graph::BinaryKind;
  const std::vector<std::tuple<std::string, Kind, int>> kinds{
      {"Add", Kind::add, 6},
      {"Sub", Kind::sub, 6},
      {"Mul", Kind::mul, 6},
      {"Div", Kind::div, 6},
      {"Pow", Kind::pow, 6},
      {"Mod", Kind::mod, 10},
      {"Max", Kind::max, 6},
      {"Min", Kind::min, 6},
      {"Sum", Kind::add, 6},
      {"Equal", Kind::equal, 6},
      {"Less", Kind::less, 6},
      {"Greater", Kind::greater, 6},
      {"LessOrEqual", Kind::less_or_equal, 12},
      {"GreaterOrEqual", Kind::greater_or_equal, 12},
      {"And", Kind::logical_and, 6},
      {"Or", Kind::logical_or, 6},
      {"Xor", Kind::logical_xor, 6}};
  for (const auto& [op, kind, first] : kinds) {
    SCOPED_TRACE(op);
    EXPECT_EQ(op_of<graph::Binary>(first, op, 2).kind, kind);
    EXPECT_EQ(op_of<graph::Binary>(28, op, 2).kind, kind);
    EXPECT_EQ(reads(import_node(28, op, {"a", "b"})), (Strings{"a", "b"}));
  }
}

TEST(Ops, BroadcastOfOpset6) {
  const Attrs channel{attr("broadcast", 1), attr("axis", 1)};
  EXPECT_EQ(bound_shape(6, "Add", {2, 3, 4, 5}, {3}, channel), (Shape{2, 3, 4, 5}));
  EXPECT_EQ(bound_shape(6, "Mul", {2, 3, 4, 5}, {3, 4}, channel), (Shape{2, 3, 4, 5}));
  EXPECT_EQ(bound_shape(6, "Sub", {2, 3, 4, 5}, {2}, {attr("broadcast", 1), attr("axis", 0)}),
            (Shape{2, 3, 4, 5}));
  EXPECT_EQ(bound_shape(6, "Div", {2, 3}, {3}, channel), (Shape{2, 3}));
  EXPECT_EQ(bound_shape(6, "Pow", {2, 3, 4, 5}, {4, 5}, {attr("broadcast", 1)}),
            (Shape{2, 3, 4, 5}));
  EXPECT_EQ(bound_shape(6, "Add", {2, 3}, {2, 3}, {}), (Shape{2, 3}));
  // Where the extents at the axis differ, it is no broadcast.
  EXPECT_THROW(bound_shape(6, "Add", {2, 3, 4, 5}, {4}, channel), Error);
  EXPECT_THROW(bound_shape(7, "Add", {2, 3, 4, 5}, {3}, channel), Error);
  EXPECT_THROW(bound_shape(6, "Add", {2, 3}, {3}, {attr("broadcast", 1), attr("axis", -2)}), Error);
}

TEST(Ops, VariadicsAreChains) {
  for (const auto* op : {"Sum", "Max", "Min"}) {
    SCOPED_TRACE(op);
    EXPECT_EQ(only_op<graph::Unary>(import_node(13, op, {"a"})).kind, UnaryKind::identity);
    const auto got = import_node(13, op, {"a", "b", "c", "d"});
    ASSERT_EQ(got.graph.nodes().size(), 3U);
    EXPECT_EQ(got.graph.nodes().back().name, "n");
    EXPECT_EQ(reads(got)[1], "d");
    EXPECT_NE(got.graph.nodes()[0].name, got.graph.nodes()[1].name);
  }
  const auto mean = import_node(13, "Mean", {"a", "b"});
  ASSERT_EQ(mean.graph.nodes().size(), 2U);
  const auto share = mean.graph.nodes().back().inputs[1];
  EXPECT_EQ(mean.graph.value(share).constant->floats()[0], 0.5f);
}

TEST(Ops, PRelu) {
  EXPECT_NO_THROW(op_of<graph::PRelu>(7, "PRelu", 2));
  const auto model = [](std::int64_t opset, const Ints& slope) {
    std::int64_t count = 1;
    for (const auto extent : slope) count *= extent;
    return ModelBuilder(opset)
        .input("x", {1, 4, 8, 8})
        .initializer("s", slope, Floats(static_cast<std::size_t>(count), 0.1f))
        .add("PRelu", {"x", "s"}, {"y"})
        .output("y");
  };
  // Per channel in opset 6, along the last dimension later.
  auto six = import(model(6, {4}));
  graph::bind(six.graph, {}, 1);
  EXPECT_EQ(six.graph.value(six.graph.nodes().back().inputs[1]).shape, (Shape{4, 1, 1}));
  EXPECT_EQ(reads(import(model(6, {1}))), (Strings{"x", "s"}));
  EXPECT_EQ(reads(import(model(6, {4, 1, 1}))), (Strings{"x", "s"}));
  EXPECT_EQ(reads(import(model(7, {8}))), (Strings{"x", "s"}));
  EXPECT_THROW(op_of<graph::PRelu>(6, "PRelu", 2), Error);
}

}  // namespace
}  // namespace fovea::test
