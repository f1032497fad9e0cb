#include "passes/support.hpp"

namespace fovea::passes::test {
namespace {

TEST(FoldBatchNorm, IntoConvolutionWithAndWithoutBias) {
  for (const bool bias : {false, true}) {
    Builder b;
    const auto x = b.input("x", {2, 3, 4, 5});
    const auto y = norm(b, "bn", conv(b, "conv", x, 3, 4, bias), 4);
    b.output(y);
    EXPECT_TRUE(run_pass(b, fold_batchnorm));
    ASSERT_EQ(ops_of(b.graph), "Conv");
    const auto& node = b.graph.nodes()[0];
    EXPECT_EQ(node.name, "conv");
    EXPECT_EQ(node.outputs[0], y);
    EXPECT_EQ(b.value(node.inputs[1]).name, "conv/w/folded");
    EXPECT_EQ(b.value(node.inputs[2]).name, bias ? "conv/b/folded" : "conv/w/bias");
    EXPECT_FALSE(run_pass(b, fold_batchnorm));
  }
}

TEST(FoldBatchNorm, IntoGroupsVolumesAndTransposedConvolutions) {
  Builder b;
  const auto x = b.input("x", {1, 4, 3, 3, 3});
  auto v = b.op("conv", Conv{.group = 2}, {x, b.weights("w", {6, 2, 2, 2, 2})});
  v = norm(b, "bn1", v, 6);
  v = b.op("up", ConvTranspose{.window = {.strides = {2, 2, 2}}, .group = 3},
           {v, b.weights("w2", {6, 4, 2, 2, 2}), b.weights("b2", {12})});
  b.output(norm(b, "bn2", v, 12));
  EXPECT_TRUE(run_pass(b, fold_batchnorm));
  EXPECT_EQ(ops_of(b.graph), "Conv ConvTranspose");
}

TEST(FoldBatchNorm, IntoGemm) {
  for (const bool trans : {false, true})
    for (const bool bias : {false, true}) {
      Builder b;
      std::vector<ValueId> inputs{b.input("x", {3, 4}),
                                  b.weights("w", trans ? Shape{5, 4} : Shape{4, 5})};
      if (bias) inputs.push_back(b.weights("c", {1, 5}));
      const auto fc = b.op("fc", Gemm{.alpha = 0.5f, .beta = 3, .trans_b = trans}, inputs);
      b.output(norm(b, "bn", fc, 5));
      EXPECT_TRUE(run_pass(b, fold_batchnorm));
      EXPECT_EQ(ops_of(b.graph), "Gemm");
    }
}

TEST(FoldBatchNorm, AMatMulBecomesAGemmForItsBias) {
  Builder b;
  const auto mm = b.op("mm", MatMul{}, {b.input("x", {3, 4}), b.weights("w", {4, 5})});
  b.output(b.binary("y", BinaryKind::add, mm, b.weights("bias", {5})));
  EXPECT_TRUE(run_pass(b, fold_batchnorm));
  EXPECT_EQ(ops_of(b.graph), "Gemm");
  // Nothing is scaled: the weights stay the file's.
  EXPECT_EQ(b.value(b.graph.nodes()[0].inputs[1]).name, "w");
}

TEST(FoldBatchNorm, AMatMulOfSequencesTakesAScaleOnly) {
  Builder b;
  auto v = b.op("mm", MatMul{}, {b.input("x", {2, 3, 4}), b.weights("w", {4, 5})});
  v = b.binary("scaled", BinaryKind::mul, v, b.weights("s", {5}));
  b.output(b.binary("y", BinaryKind::add, v, b.weights("bias", {5})));
  EXPECT_TRUE(run_pass(b, fold_batchnorm));
  EXPECT_EQ(ops_of(b.graph), "MatMul Add");
}

TEST(FoldBatchNorm, AChainOfScalesAndShifts) {
  Builder b;
  auto v = conv(b, "conv", b.input("x", {2, 3, 4, 4}), 3, 4);
  v = norm(b, "bn", v, 4);
  v = b.binary("mul", BinaryKind::mul, b.weights("s", {4, 1, 1}), v);
  v = b.binary("add", BinaryKind::add, v, b.weights("o", {1, 4, 1, 1}));
  v = b.binary("sub", BinaryKind::sub, v, b.scalar("one", 1));
  v = b.binary("from", BinaryKind::sub, b.weights("f", {4, 1, 1}), v);
  v = b.binary("div", BinaryKind::div, v, b.floats("d", {1}, {3}));
  b.output(v);
  EXPECT_TRUE(run_pass(b, fold_batchnorm));
  EXPECT_EQ(ops_of(b.graph), "Conv");
}

TEST(FoldBatchNorm, AConstantAlongAnotherAxisIsLeftAlone) {
  Builder b;
  const auto v = conv(b, "conv", b.input("x", {1, 4, 4, 4}), 4, 4);
  b.output(b.binary("mul", BinaryKind::mul, v, b.weights("s", {4})));
  EXPECT_FALSE(run_pass(b, fold_batchnorm));
}

TEST(FoldBatchNorm, AConstantPerImageIsLeftAlone) {
  Builder b;
  const auto fc = b.op("fc", Gemm{}, {b.input("x", {5, 4}), b.weights("w", {4, 5})});
  b.output(b.binary("add", BinaryKind::add, fc, b.weights("s", {5, 1})));
  EXPECT_FALSE(run_pass(b, fold_batchnorm));
}

TEST(FoldBatchNorm, ABroadcastThatGrowsTheResultIsLeftAlone) {
  Builder b;
  const auto v = conv(b, "conv", b.input("x", {1, 3, 4, 4}), 3, 1);
  b.output(b.binary("mul", BinaryKind::mul, v, b.weights("s", {4, 1, 1})));
  EXPECT_FALSE(run_pass(b, fold_batchnorm));
}

TEST(FoldBatchNorm, AKeptOrSharedConvolutionStays) {
  Builder b;
  const auto c = conv(b, "conv", b.input("x", {1, 3, 4, 4}), 3, 4);
  b.output(norm(b, "bn", c, 4));
  EXPECT_FALSE(run_pass(b, fold_batchnorm, {c}));
  Builder d;
  const auto e = conv(d, "conv", d.input("x", {1, 3, 4, 4}), 3, 4);
  d.output(d.binary("y", BinaryKind::add, norm(d, "bn", e, 4), e));
  EXPECT_FALSE(run_pass(d, fold_batchnorm));
}

TEST(FoldBatchNorm, StopsAtAKeptValue) {
  Builder b;
  const auto bn = norm(b, "bn", conv(b, "conv", b.input("x", {1, 3, 4, 4}), 3, 4), 4);
  b.output(b.binary("mul", BinaryKind::mul, bn, b.scalar("two", 2)));
  EXPECT_TRUE(run_pass(b, fold_batchnorm, {bn}));
  EXPECT_EQ(ops_of(b.graph), "Conv Mul");
}

TEST(FoldBatchNorm, SharedWeightsAreFoldedApart) {
  Builder b;
  const auto x = b.input("x", {1, 3, 4, 4});
  const auto w = b.weights("w", {3, 3, 1, 1});
  const auto first = norm(b, "bn1", b.op("c1", Conv{}, {x, w}), 3);
  b.output(norm(b, "bn2", b.op("c2", Conv{}, {first, w}), 3));
  EXPECT_TRUE(run_pass(b, fold_batchnorm));
  EXPECT_EQ(ops_of(b.graph), "Conv Conv");
  EXPECT_EQ(b.value(b.graph.nodes()[0].inputs[1]).name, "w/folded");
  EXPECT_EQ(b.value(b.graph.nodes()[1].inputs[1]).name, "w/folded2");
}

TEST(FoldBatchNorm, ComputedWeightsAreLeftAlone) {
  Builder b;
  const auto x = b.input("x", {1, 3, 4, 4});
  const auto w = b.input("w", {4, 3, 1, 1});
  b.output(norm(b, "bn", b.op("c", Conv{}, {x, w}), 4));
  EXPECT_FALSE(run_pass(b, fold_batchnorm));
}

TEST(FoldBatchNorm, DivisionByZeroIsLeftAlone) {
  Builder b;
  const auto c = conv(b, "conv", b.input("x", {1, 3, 4, 4}), 3, 4);
  b.binary("div", BinaryKind::div, c, b.scalar("zero", 0));
  b.bound();
  EXPECT_FALSE(fold_batchnorm(b.graph, {}));
}

}  // namespace
}  // namespace fovea::passes::test
