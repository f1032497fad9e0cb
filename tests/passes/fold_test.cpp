#include <algorithm>
#include <memory>

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

/// Numbers that are not here until they are read.
class Later : public Deferred {
 public:
  explicit Later(std::vector<float> data)
      : Deferred(static_cast<std::int64_t>(data.size()), data.size()), data_(std::move(data)) {}
  void read(std::int64_t first, std::span<float> out) const override {
    ++reads;
    std::copy_n(data_.begin() + first, out.size(), out.begin());
  }
  mutable int reads = 0;

 private:
  std::vector<float> data_;
};

/// A product whose output channel c makes the weights at which `channel` gives c, scaled per
/// channel: whatever is read of the folded weights is the source's, times the factor in f64.
void expect_scaled(const Op& op, const Shape& x, const Shape& w, std::int64_t channels,
                   const Shape& factor_shape,
                   const std::function<std::size_t(std::size_t)>& channel) {
  for (const bool deferred : {false, true}) {
    Builder b;
    const auto drawn = b.weights("drawn", w);
    const auto source = std::make_shared<const Later>(floats_of(b.graph, drawn));
    const auto weights =
        deferred ? b.graph.add_constant("w", Constant::of_deferred(w, source)) : drawn;
    const auto s = b.weights("s", factor_shape);
    b.output(b.binary("scaled", BinaryKind::mul, b.op("op", op, {b.input("x", x), weights}), s));
    b.bound();
    ASSERT_TRUE(fold_batchnorm(b.graph, {}));
    EXPECT_EQ(source->reads, 0) << "folding reads no weights";

    const auto factor = floats_of(b.graph, s);
    const auto before = floats_of(b.graph, weights);
    const auto after = floats_of(b.graph, b.graph.nodes()[0].inputs[1]);
    ASSERT_EQ(factor.size(), static_cast<std::size_t>(channels));
    std::vector<float> want;
    for (std::size_t i = 0; i < before.size(); ++i)
      want.push_back(static_cast<float>(before[i] * static_cast<double>(factor[channel(i)])));
    EXPECT_EQ(after, want);
    const auto& constant = *b.value(b.graph.nodes()[0].inputs[1]).constant;
    for (const std::size_t first : {0, 1, 7}) {
      std::vector<float> part(want.size() - first - 2);
      constant.read(static_cast<std::int64_t>(first), part);
      EXPECT_TRUE(std::equal(part.begin(), part.end(), want.begin() + static_cast<long>(first)));
    }
  }
}

TEST(FoldBatchNorm, ScalesToTheBitAndOnlyWhenRead) {
  expect_scaled(Conv{.group = 2}, {1, 4, 5, 5}, {6, 2, 3, 3}, 6, {6, 1, 1},
                [](std::size_t i) { return i / 18; });
  // [in, out / group, ...]: both groups' channels lie side by side.
  expect_scaled(ConvTranspose{.group = 2}, {1, 4, 5, 5}, {4, 3, 2, 2}, 6, {6, 1, 1},
                [](std::size_t i) { return i / 4 % 3 + i / 24 * 3; });
  expect_scaled(Gemm{.trans_b = true}, {2, 4}, {5, 4}, 5, {5}, [](std::size_t i) { return i / 4; });
  expect_scaled(Gemm{}, {2, 4}, {4, 5}, 5, {5}, [](std::size_t i) { return i % 5; });
  expect_scaled(MatMul{}, {3, 2, 4}, {4, 5}, 5, {5}, [](std::size_t i) { return i % 5; });
}

TEST(FoldBatchNorm, WhatIsScaledTheSameIsTheSame) {
  const auto fold = [](float factor) {
    Builder b;
    const auto w = b.weights("w", {4, 3, 1, 1});
    b.output(b.binary("y", BinaryKind::mul, b.op("c", Conv{}, {b.input("x", {1, 3, 2, 2}), w}),
                      b.scalar("s", factor)));
    b.bound();
    fold_batchnorm(b.graph, {});
    return b.value(b.graph.nodes()[0].inputs[1]).constant->identity();
  };
  EXPECT_EQ(fold(2), fold(2));
  EXPECT_NE(fold(2), fold(3));
}

}  // namespace
}  // namespace fovea::passes::test
