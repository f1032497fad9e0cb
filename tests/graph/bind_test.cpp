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
