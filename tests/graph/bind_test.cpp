#include "graph/choice.hpp"
#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

Builder image_model() {
  Builder b;
  b.unary("y", UnaryKind::relu, b.input("x", {-1, 3, -1, -1}));
  return b;
}

TEST(Bind, TakesShapesByNameAndTheBatch) {
  auto b = image_model();
  b.bound(4, {{"x", {-1, 3, 20, 30}}});
  EXPECT_TRUE(has_shape(b.graph, b.graph.outputs[0], {4, 3, 20, 30}));
  auto c = image_model();
  c.bound(4, {{"x", {7, 3, 20, 30}}});
  EXPECT_TRUE(has_shape(c.graph, c.graph.outputs[0], {7, 3, 20, 30}));
}

TEST(Bind, RefusesWhatDoesNotFitTheModel) {
  const auto bind_with = [](const std::map<std::string, Shape>& shapes, std::int64_t batch) {
    return [=] { image_model().bound(batch, shapes); };
  };
  const auto bad = ErrorCode::invalid_argument;
  expect_error(bind_with({}, 1), bad, "extent 2 of the input's shape [-1, 3, -1, -1] is open");
  expect_error(bind_with({{"y", {1}}}, 1), bad, "no such input (node y)");
  expect_error(bind_with({{"z", {1}}}, 1), bad, "no such input (node z)");
  expect_error(bind_with({{"x", {1, 4, 5, 5}}}, 1), bad, "does not fit the model's");
  expect_error(bind_with({{"x", {1, 3, 5}}}, 1), bad, "does not fit the model's");
  expect_error(bind_with({{"x", {1, 3, 0, 5}}}, 1), bad, "does not fit the model's");
  expect_error(bind_with({{"x", {1, 3, -2, 5}}}, 1), bad, "does not fit the model's");
  expect_error(bind_with({{"x", {1, 3, 5, 5}}}, 0), bad, "the batch is 0");
}

TEST(Bind, RefusesImpossibleDeclaredShapes) {
  for (const Shape& shape : {Shape{1, 0}, Shape{1, -2}}) {
    Builder b;
    b.unary("y", UnaryKind::relu, b.input("x", shape));
    expect_error([&] { b.bound(); }, ErrorCode::bad_model, "(node x)");
  }
  Builder b;
  b.unary("y", UnaryKind::relu, b.input("x", {1 << 20, 1 << 20}));
  expect_error([&] { b.bound(); }, ErrorCode::bad_model, "2^31 - 1 elements (node x)");
}

TEST(Bind, RefusesAGraphWithoutOutputs) {
  Builder b;
  b.unary("y", UnaryKind::relu, b.input("x", {1}));
  expect_error([&] { bind(b.graph, {}, 1); }, ErrorCode::bad_model, "no outputs");
}

TEST(Bind, RefusesAParameterThatIsComputed) {
  Builder b;
  const auto x = b.input("x", {2, 3});
  b.op("y", Reshape{}, {x, b.input("shape", {1}, DType::i64)});
  expect_error([&] { b.bound(); }, ErrorCode::unsupported,
               "the shape input of Reshape is not constant (node y, op Reshape)");
}

TEST(Bind, AnInputOfAnyShapeTakesTheGivenOne) {
  const auto model = [] {
    Builder b;
    b.unary("y", UnaryKind::relu, b.input("x", kAnyShape));
    return b;
  };
  auto b = model();
  b.bound(2, {{"x", {-1, 3, 4}}});
  EXPECT_TRUE(has_shape(b.graph, b.graph.outputs[0], {2, 3, 4}));
  auto scalar = model();
  scalar.bound(1, {{"x", {}}});
  EXPECT_TRUE(has_shape(scalar.graph, scalar.graph.outputs[0], {}));
  const auto bad = ErrorCode::invalid_argument;
  expect_error([&] { model().bound(); }, bad,
               "does not say how many extents the input has: give the input's shape (node x)");
  expect_error(
      [&] {
        model().bound(1, {{"x", {1, -1, 3}}});
      },
      bad, "extent 1 of the input's shape [1, -1, 3] is open");
  expect_error([&] { model().bound(1, {{"x", {1, 0}}}); }, bad, "does not fit");
}

/// y = relu(x); z = x + w, which does not fit; d, behind z, is nobody's.
Builder half_model() {
  Builder b;
  const auto x = b.input("x", {1, 2});
  b.graph.outputs.push_back(b.unary("y", UnaryKind::relu, x));
  const auto z = b.binary("z", BinaryKind::add, x, b.floats("w", {3}, {1, 2, 3}));
  b.unary("d", UnaryKind::relu, z);
  return b;
}

TEST(Bind, WhatNoOutputNeedsMayBeAnything) {
  auto b = half_model();
  bind(b.graph, {}, 1);
  ASSERT_EQ(b.graph.nodes().size(), 1U);
  EXPECT_EQ(b.graph.nodes()[0].name, "y");
  EXPECT_FALSE(b.graph.value(b.graph.find_value("d")).producer);
}

TEST(Bind, OutputsThatCannotBeBoundAreToldWithTheReason) {
  auto b = half_model();
  b.graph.outputs.insert(b.graph.outputs.begin(), b.graph.find_value("d"));
  auto strict = b.graph;
  expect_error([&] { bind(strict, {}, 1); }, ErrorCode::bad_model, "cannot be broadcast (node z");
  const auto unbound = bind_what_can_be(b.graph, {}, 1);
  ASSERT_EQ(unbound.size(), 1U);
  EXPECT_EQ(unbound[0].output, b.graph.find_value("d"));
  EXPECT_EQ(unbound[0].error.code(), ErrorCode::bad_model);
  EXPECT_EQ(unbound[0].error.context().node, "z") << "where it went wrong, not what is lost by it";
  ASSERT_EQ(b.graph.outputs.size(), 1U);
  verify(b.graph, "the test");
}

TEST(Bind, InputsThatNoOutputNeedsMayStayOpen) {
  Builder b;
  b.graph.outputs.push_back(b.unary("y", UnaryKind::relu, b.input("x", {1, 2})));
  b.unary("other", UnaryKind::relu, b.input("open", {1, -1}));
  b.unary("another", UnaryKind::relu, b.input("any", kAnyShape));
  bind(b.graph, {}, 1);
  EXPECT_EQ(b.graph.inputs.size(), 1U);
  EXPECT_EQ(b.graph.nodes().size(), 1U);
}

TEST(Bind, AChoiceBecomesTheBranchThatIsTaken) {
  for (const bool first : {true, false}) {
    Builder b;
    const auto x = b.input("x", {-1, 2});
    const auto extent = b.op("n", ShapeOf{.start = 0, .end = 1}, {x});
    const auto is_one = b.binary("is_one", BinaryKind::equal, extent, b.ints("one", {1}));
    const auto then = b.op("squeezed", Reshape{ReshapeKind::squeeze, Ints{0}, false}, {x});
    const auto other = b.unary("negated", UnaryKind::neg, x);
    const auto id =
        b.graph.add_node("choice", std::string(kChoice), Where{}, {is_one, then, other}, {"y"});
    b.graph.outputs = b.graph.node(id).outputs;
    bind(b.graph, {}, first ? 1 : 3);
    const auto& node = b.graph.node(b.graph.value(b.graph.outputs[0]).producer);
    EXPECT_EQ(std::get<Unary>(node.op).kind, UnaryKind::identity);
    EXPECT_EQ(b.graph.value(node.inputs.at(0)).name, first ? "squeezed" : "negated");
    EXPECT_TRUE(has_shape(b.graph, b.graph.outputs[0], first ? Shape{2} : Shape{3, 2}));
  }
}

TEST(Bind, LooksOnceForWhatCannotBeComputed) {
  // Many choices, whose conditions come from one value that nobody computes, or from the input.
  for (const bool of_input : {false, true}) {
    Builder b;
    const auto x = b.input("x", {1, 2});
    auto value = b.op("root", Softmax{1}, {of_input ? x : b.floats("c", {1, 2}, {1, 2})});
    std::vector<ValueId> on_the_way;
    for (int i = 0; i < 20; ++i) {
      value = b.op("step" + std::to_string(i), Softmax{1}, {value});
      on_the_way.push_back(value);
    }
    for (std::size_t i = 0; i < on_the_way.size(); ++i) {
      const auto name = "y" + std::to_string(i);
      const auto flag = b.op("flag" + name, Cast{DType::boolean}, {on_the_way[i]});
      const auto id = b.graph.add_node(name, std::string(kChoice), Where{}, {flag, x, x}, {name});
      b.graph.outputs.push_back(b.graph.node(id).outputs[0]);
    }
    int asked = 0;
    const auto lost = bind_what_can_be(b.graph, {}, 1, {}, [&](const Graph&, const Node& node) {
      ++asked;
      EXPECT_EQ(node.name, "root");
      return std::optional<std::vector<Constant>>();
    });
    EXPECT_EQ(asked, of_input ? 0 : 1);
    ASSERT_EQ(lost.size(), on_the_way.size());
    for (const auto& one : lost)
      EXPECT_EQ(one.error.sentence(),
                std::string("the condition of an If depends on more than constants and extents") +
                    (of_input ? ": on the input 'x', which may be fixed when the explainer is made"
                              : ""));
  }
}

TEST(Bind, SaysOfAPictureThatNobodyKnowsIt) {
  Builder b;
  const auto x = b.input("x", {1, 3, 2, 2});
  const auto flag = b.op("flag", Cast{DType::boolean}, {x});
  const auto id = b.graph.add_node("y", std::string(kChoice), Where{}, {flag, x, x}, {"y"});
  b.graph.outputs.push_back(b.graph.node(id).outputs[0]);
  const auto lost = bind_what_can_be(b.graph, {}, 1, {}, {});
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].error.sentence(),
            "the condition of an If depends on more than constants and extents: on what the input "
            "'x' holds, as of a picture nobody knows before");
}

TEST(Bind, PutsTheProductsOfPairsInFrontOfTheirEinsum) {
  Builder b;
  auto value = b.input("x", {2, 3});
  for (const std::string name : {"a", "b"}) {
    value = b.op(name, Einsum{"ij,jk,kl->il"},
                 {value, b.weights(name + "1", {3, 4}), b.weights(name + "2", {4, 3})});
    value = b.unary(name + "_relu", UnaryKind::relu, value);
  }
  b.bound();
  std::string order;
  for (const auto& node : b.graph.nodes()) {
    order += node.name + " ";
    for (const auto output : node.outputs)
      EXPECT_EQ(b.graph.node(b.graph.value(output).producer).name, node.name);
    EXPECT_LE(node.inputs.size(), 2U);
  }
  EXPECT_EQ(order, "a/pair a a_relu b/pair b b_relu ");
}

TEST(Bind, InfersAgainToTheSame) {
  Builder b;
  const auto x = b.input("x", {-1, 4, 9, 9});
  const auto pool =
      b.op("pool", Pool{.window = {.kernel = {2, 2}, .strides = {2, 2}}, .ceil_mode = true}, {x});
  const auto slice = b.op("slice", Slice{Ints{-1}, Ints{INT64_MIN}, Ints{3}, Ints{-2}}, {pool});
  b.op("resize", Resize{}, {slice, {}, b.floats("s", {4}, {1, 1, 2, 2})});
  b.bound(3);
  const auto before = print(b.graph);
  infer(b.graph);
  EXPECT_EQ(print(b.graph), before);
}

TEST(Bind, MakesAnIntegerExponentAFloat) {
  Builder b;
  const auto y = b.binary("y", BinaryKind::pow, b.input("x", {1, 2}), b.int_scalar("two", 2));
  b.bound();
  const auto exponent = b.graph.node(b.value(y).producer).inputs[1];
  EXPECT_EQ(floats_of(b.graph, exponent), std::vector<float>{2});
  EXPECT_EQ(b.value(exponent).name, "two/float");
}

TEST(Bind, LeavesTheImportedGraphReusable) {
  const auto model = image_model();
  for (const std::int64_t size : {5, 9}) {
    auto copy = model;
    copy.bound(2, {{"x", {-1, -1, size, size}}});
    EXPECT_TRUE(has_shape(copy.graph, copy.graph.outputs[0], {2, 3, size, size}));
  }
}

}  // namespace
}  // namespace fovea::graph::test
