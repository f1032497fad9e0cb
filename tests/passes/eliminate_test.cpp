#include "passes/support.hpp"

namespace fovea::passes::test {
namespace {

TEST(EliminateDead, DropsWhatNothingNeeds) {
  Builder b;
  const auto x = b.input("x", {1, 2});
  const auto y = b.unary("y", UnaryKind::relu, x);
  b.unary("dead2", UnaryKind::relu, b.unary("dead1", UnaryKind::relu, x));
  b.output(y);
  EXPECT_TRUE(run_pass(b, eliminate_dead));
  EXPECT_EQ(ops_of(b.graph), "Relu");
  EXPECT_FALSE(run_pass(b, eliminate_dead));
}

TEST(EliminateDead, KeepsWhatIsKept) {
  Builder b;
  const auto x = b.input("x", {1, 2});
  const auto y = b.unary("y", UnaryKind::relu, x);
  const auto side = b.unary("side", UnaryKind::tanh, x);
  b.output(y);
  EXPECT_FALSE(run_pass(b, eliminate_dead, {side}));
  EXPECT_EQ(ops_of(b.graph), "Relu Tanh");
}

TEST(EliminateDead, DropsShapeArithmetic) {
  Builder b;
  const auto x = b.input("x", {1, 2, 3});
  const auto shape = b.op("shape", ShapeOf{}, {x});
  const auto first = b.op("first", Gather{}, {shape, b.ints("zero", {0})});
  const auto target = b.op("target", Concat{}, {first, b.ints("rest", {-1})});
  b.output(b.op("y", Reshape{}, {x, target}));
  EXPECT_TRUE(run_pass(b, eliminate_dead));
  EXPECT_EQ(ops_of(b.graph), "Reshape");
}

TEST(EliminateIdentity, LetsReadersReadTheSource) {
  Builder b;
  const auto x = b.input("x", {1, 2});
  auto v = b.unary("a", UnaryKind::tanh, x);
  v = b.unary("i1", UnaryKind::identity, v);
  v = b.op("i2", Reshape{ReshapeKind::reshape, Ints{1, 2}, false}, {v});
  v = b.op("i3", Transpose{{0, 1}}, {v});
  v = b.op("i4", Pad{PadMode::constant, Ints{0, 0, 0, 0}, {}}, {v});
  v = b.op("i5", Cast{DType::f32}, {v});
  b.output(b.unary("y", UnaryKind::relu, v));
  EXPECT_TRUE(run_pass(b, eliminate_identity));
  EXPECT_EQ(ops_of(b.graph), "Tanh Relu");
  EXPECT_FALSE(run_pass(b, eliminate_identity));
}

TEST(EliminateIdentity, AnOutputIsWrittenByTheNodeBefore) {
  Builder b;
  const auto a = b.unary("a", UnaryKind::tanh, b.input("x", {1, 2}));
  const auto y = b.unary("y", UnaryKind::identity, a);
  const auto z = b.unary("z", UnaryKind::relu, a);
  b.output(y);
  b.output(z);
  EXPECT_TRUE(run_pass(b, eliminate_identity));
  EXPECT_EQ(ops_of(b.graph), "Tanh Relu");
  EXPECT_EQ(b.graph.nodes()[0].outputs[0], y);
  EXPECT_EQ(b.graph.nodes()[1].inputs[0], y);
}

TEST(EliminateIdentity, AReaderBeforeTheCopyFollows) {
  Builder b;
  const auto a = b.unary("a", UnaryKind::tanh, b.input("x", {1, 2}));
  const auto z = b.unary("z", UnaryKind::relu, a);
  const auto y = b.unary("y", UnaryKind::identity, a);
  b.output(y);
  b.output(z);
  EXPECT_TRUE(run_pass(b, eliminate_identity));
  EXPECT_EQ(b.graph.nodes()[1].inputs[0], y);
}

TEST(EliminateIdentity, TwoNamesThatStayKeepTheCopy) {
  Builder b;
  const auto a = b.unary("a", UnaryKind::tanh, b.input("x", {1, 2}));
  const auto y = b.unary("y", UnaryKind::identity, a);
  b.output(y);
  EXPECT_FALSE(run_pass(b, eliminate_identity, {a}));
}

TEST(EliminateIdentity, ACopyOfAnInputThatIsAnOutputStays) {
  Builder b;
  b.output(b.unary("y", UnaryKind::identity, b.input("x", {1, 2})));
  EXPECT_FALSE(run_pass(b, eliminate_identity));
}

TEST(EliminateIdentity, RealWorkStays) {
  Builder b;
  const auto x = b.input("x", {2, 2});
  auto v = b.op("t", Transpose{{1, 0}}, {x});
  v = b.op("p", Pad{PadMode::constant, Ints{0, 0, 1, 0}, {}}, {v});
  b.output(b.op("r", Reshape{ReshapeKind::reshape, Ints{6}, false}, {v}));
  EXPECT_FALSE(run_pass(b, eliminate_identity));
}

TEST(EliminateIdentity, ALongChainTakesNoSquareTime) {
  Builder b;
  auto v = b.unary("a", UnaryKind::tanh, b.input("x", {1}));
  for (int i = 0; i < 100000; ++i) v = b.unary("i" + std::to_string(i), UnaryKind::identity, v);
  b.output(v);
  b.bound();
  EXPECT_TRUE(eliminate_identity(b.graph, {}));
  EXPECT_EQ(ops_of(b.graph), "Tanh");
  EXPECT_EQ(b.graph.nodes()[0].outputs[0], v);
}

}  // namespace
}  // namespace fovea::passes::test
