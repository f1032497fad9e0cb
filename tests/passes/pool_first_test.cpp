#include "passes/support.hpp"

namespace fovea::passes::test {
namespace {

Pool average(Ints kernel, Ints strides, Ints pads = {0, 0}, bool count_pad = false) {
  Pool out;
  out.kind = PoolKind::average;
  out.window.kernel = std::move(kernel);
  out.window.strides = std::move(strides);
  out.window.pads_begin = out.window.pads_end = std::move(pads);
  out.count_include_pad = count_pad;
  return out;
}

ValueId pointwise(Builder& b, ValueId x, std::int64_t in, std::int64_t out, Conv conv = {}) {
  return b.op("conv", std::move(conv), {x, b.weights("w", {out, in, 1, 1}), b.weights("b", {out})});
}

TEST(PoolFirst, AMeanBeforeAPointwiseConvolution) {
  Builder b;
  const auto x = b.input("x", {2, 3, 5, 6});
  const auto y = pointwise(b, x, 3, 4);
  const auto z = b.op("pool", average({2, 2}, {2, 2}), {y});
  b.output(b.unary("act", UnaryKind::relu, z));
  EXPECT_TRUE(run_pass(b, pool_first, {z}));
  EXPECT_EQ(ops_of(b.graph), "AveragePool Conv Relu");
  EXPECT_EQ(b.graph.nodes()[1].outputs[0], z);
  EXPECT_EQ(b.value(b.graph.nodes()[0].outputs[0]).shape, (Shape{2, 3, 2, 3}));
  EXPECT_FALSE(run_pass(b, pool_first, {z}));
}

TEST(PoolFirst, PaddingThatNoMeanCounts) {
  Builder b;
  b.output(b.op("pool", average({3, 3}, {2, 2}, {1, 1}),
                {pointwise(b, b.input("x", {1, 3, 7, 7}), 3, 4)}));
  EXPECT_TRUE(run_pass(b, pool_first));
}

TEST(PoolFirst, LeavesWhatWouldChangeOrNotGain) {
  const auto unchanged = [](const Pool& pool, Conv conv = {}, bool keep = false) {
    Builder b;
    const auto y = pointwise(b, b.input("x", {1, 3, 8, 8}), 3, 4, std::move(conv));
    b.output(b.op("pool", pool, {y}));
    b.bound();
    return !pool_first(b.graph, keep ? Keep{y} : Keep{});
  };
  EXPECT_TRUE(unchanged(average({3, 3}, {2, 2}, {1, 1}, true))) << "the bias would be pooled, too";
  EXPECT_TRUE(unchanged(average({2, 2}, {1, 1}))) << "as many positions";
  EXPECT_TRUE(unchanged(average({2, 2}, {2, 2}), Conv{.window = {.strides = {2, 2}}}));
  EXPECT_TRUE(unchanged(average({2, 2}, {2, 2}), {}, true)) << "the convolution's output stays";
  auto largest = average({2, 2}, {2, 2});
  largest.kind = PoolKind::max;
  EXPECT_TRUE(unchanged(largest));
}

/// Their gradient reads what the convolution read.
TEST(PoolFirst, LeavesWeightsThatAreComputed) {
  Builder b;
  const auto x = b.input("x", {1, 3, 8, 8});
  const auto w =
      b.op("w", graph::Conv{}, {b.input("k", {4, 3, 1, 1}), b.weights("m", {3, 3, 1, 1})});
  b.output(b.op("pool", average({2, 2}, {2, 2}), {b.op("conv", Conv{}, {x, w})}));
  EXPECT_FALSE(run_pass(b, pool_first));
}

}  // namespace
}  // namespace fovea::passes::test
