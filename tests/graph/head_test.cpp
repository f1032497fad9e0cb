#include <functional>

#include "graph/interpret.hpp"
#include "graph/query.hpp"
#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

constexpr std::int64_t kBatch = 2, kChannels = 5, kClasses = 4;
const Shape kMap{kBatch, kChannels, 3, 6};

/// A map, the head that `make` builds behind it, and whether the head that is found computes the
/// same scores from the map's means.
struct Head {
  Builder b;
  ValueId map;
  std::optional<PoolLinearHead> found;

  explicit Head(const std::function<ValueId(Builder&, ValueId)>& make, const Shape& shape = kMap) {
    map = b.unary("map", UnaryKind::relu, b.input("x", shape));
    const auto logits = make(b, map);
    b.output(logits);
    b.bound();
    found = find_pool_linear_head(b.graph, logits);
  }

  void expect_same_scores() {
    ASSERT_TRUE(found);
    const auto& shape = b.value(found->feature_map).shape;
    std::size_t size = 1;
    for (const auto extent : b.value(b.graph.inputs[0]).shape)
      size *= static_cast<std::size_t>(extent);
    Doubles x;
    for (std::size_t i = 0; i < size; ++i)
      x.push_back(static_cast<double>(i * 37 % 101) / 50 - 0.7);
    const auto values = interpret(b.graph, {{b.graph.inputs[0], x}});
    const auto& a = values.at(found->feature_map);
    const auto& expected = values.at(b.graph.outputs[0]);

    const auto channels = static_cast<std::size_t>(found->channels);
    const auto classes = static_cast<std::size_t>(found->classes);
    const auto batch = static_cast<std::size_t>(shape[0]);
    const auto positions = a.size() / batch / channels;
    ASSERT_EQ(static_cast<std::int64_t>(channels), shape[1]);
    ASSERT_EQ(expected.size(), batch * classes);
    for (std::size_t n = 0; n < batch; ++n)
      for (std::size_t j = 0; j < classes; ++j) {
        double score = found->bias.empty() ? 0 : found->bias[j];
        for (std::size_t k = 0; k < channels; ++k) {
          double mean = 0;
          for (std::size_t p = 0; p < positions; ++p) mean += a[(n * channels + k) * positions + p];
          mean /= static_cast<double>(positions);
          const double weight =
              found->weights.empty() ? (j == k ? 1.0 : 0.0) : found->weights[j * channels + k];
          score += weight * mean;
        }
        EXPECT_NEAR(score, expected[n * classes + j], 1e-5) << "image " << n << " class " << j;
      }
  }
};

ValueId global_pool(Builder& b, ValueId x, bool keep = true) {
  return b.op("gap", Reduce{.keep_dims = keep, .spatial = true}, {x});
}
ValueId flatten(Builder& b, ValueId x) {
  return b.op("flat", Reshape{ReshapeKind::flatten, {}, false}, {x});
}
ValueId pool_and_flatten(Builder& b, ValueId x) {
  return flatten(b, global_pool(b, x));
}

TEST(Head, GemmBehindGlobalPooling) {
  for (const bool trans : {false, true}) {
    Head head([=](Builder& b, ValueId map) {
      const Shape shape = trans ? Shape{kClasses, kChannels} : Shape{kChannels, kClasses};
      return b.op("fc", Gemm{.alpha = 0.5f, .beta = 2, .trans_b = trans},
                  {pool_and_flatten(b, map), b.weights("w", shape), b.weights("c", {kClasses})});
    });
    head.expect_same_scores();
    EXPECT_EQ(head.found->feature_map, head.map);
    EXPECT_EQ(head.found->classes, kClasses);
    EXPECT_EQ(head.found->channels, kChannels);
  }
}

TEST(Head, WeightsAreReadWhereTheyLie) {
  const auto make = [](float alpha) {
    return [=](Builder& b, ValueId map) {
      return b.op("fc", Gemm{.alpha = alpha, .trans_b = true},
                  {pool_and_flatten(b, map), b.weights("w", {kClasses, kChannels}),
                   b.weights("c", {kClasses})});
    };
  };
  Head plain(make(1));
  plain.expect_same_scores();
  const auto& w = *plain.b.value(plain.b.graph.find_value("w")).constant;
  EXPECT_EQ(plain.found->weights.data.data(), w.floats().data.data());
  Head scaled(make(2));
  scaled.expect_same_scores();
}

TEST(Head, Identity) {
  Head head([](Builder& b, ValueId map) { return pool_and_flatten(b, map); });
  head.expect_same_scores();
  EXPECT_TRUE(head.found->weights.empty());
  EXPECT_TRUE(head.found->bias.empty());
  EXPECT_EQ(head.found->classes, kChannels);
}

TEST(Head, IdentityWithItsFourDimensions) {
  Head head([](Builder& b, ValueId map) { return global_pool(b, map); });
  head.expect_same_scores();
  EXPECT_TRUE(head.found->weights.empty());
}

TEST(Head, AveragePoolOverTheWholeMap) {
  Head head([](Builder& b, ValueId map) {
    const auto pool =
        b.op("pool", Pool{.kind = PoolKind::average, .window = {.kernel = {3, 6}}}, {map});
    return flatten(b, pool);
  });
  head.expect_same_scores();
}

TEST(Head, AveragePoolOverAPartIsNone) {
  Head head([](Builder& b, ValueId map) {
    const auto pool =
        b.op("pool", Pool{.kind = PoolKind::average, .window = {.kernel = {3, 5}}}, {map});
    return b.op("fc", Gemm{}, {flatten(b, pool), b.weights("w", {kChannels * 2, kClasses})});
  });
  EXPECT_FALSE(head.found);
}

TEST(Head, APaddedAveragePoolIsNone) {
  Head head([](Builder& b, ValueId map) {
    const auto pool =
        b.op("pool",
             Pool{.kind = PoolKind::average,
                  .window = {.kernel = {5, 6}, .pads_begin = {1, 0}, .pads_end = {1, 0}}},
             {map});
    return flatten(b, pool);
  });
  EXPECT_FALSE(head.found);
}

TEST(Head, AMaxPoolIsNone) {
  Head head([](Builder& b, ValueId map) {
    return flatten(b, b.op("pool", Reduce{.kind = ReduceKind::max, .spatial = true}, {map}));
  });
  EXPECT_FALSE(head.found);
}

TEST(Head, MatMulAndAdd) {
  Head head([](Builder& b, ValueId map) {
    const auto mm =
        b.op("mm", MatMul{}, {global_pool(b, map, false), b.weights("w", {kChannels, kClasses})});
    return b.binary("add", BinaryKind::add, b.weights("c", {1, kClasses}), mm);
  });
  head.expect_same_scores();
}

TEST(Head, ConvolutionBehindThePool) {
  Head head([](Builder& b, ValueId map) {
    const auto conv = b.op("conv", Conv{},
                           {global_pool(b, map), b.weights("w", {kClasses, kChannels, 1, 1}),
                            b.weights("c", {kClasses})});
    return b.op("squeezed", Reshape{ReshapeKind::squeeze, Ints{2, 3}, false}, {conv});
  });
  head.expect_same_scores();
}

TEST(Head, DropoutIdentityScaleAndNorm) {
  Head head([](Builder& b, ValueId map) {
    auto v = b.unary("drop", UnaryKind::identity, pool_and_flatten(b, map));
    v = b.op("bn", BatchNorm{},
             {v, b.weights("g", {kChannels}), b.weights("bb", {kChannels}),
              b.weights("m", {kChannels}), b.weights("var", {kChannels}, 0.5f, 2)});
    v = b.binary("scaled", BinaryKind::mul, v, b.weights("s", {kChannels}));
    v = b.op("fc", Gemm{}, {v, b.weights("w", {kChannels, kClasses}), b.weights("c", {kClasses})});
    v = b.binary("sub", BinaryKind::sub, v, b.weights("shift", {kClasses}));
    v = b.binary("from", BinaryKind::sub, b.weights("base", {kClasses}), v);
    return b.binary("div", BinaryKind::div, v, b.scalar("t", 3));
  });
  head.expect_same_scores();
}

TEST(Head, TwoLinearLayersAreNone) {
  Head head([](Builder& b, ValueId map) {
    const auto fc =
        b.op("fc1", Gemm{}, {pool_and_flatten(b, map), b.weights("w1", {kChannels, 7})});
    return b.op("fc2", Gemm{}, {fc, b.weights("w2", {7, kClasses})});
  });
  EXPECT_FALSE(head.found);
}

TEST(Head, ANonLinearityIsNone) {
  Head head([](Builder& b, ValueId map) {
    return b.unary("relu", UnaryKind::relu, pool_and_flatten(b, map));
  });
  EXPECT_FALSE(head.found);
}

TEST(Head, FlattenWithoutPoolingIsNone) {
  Head head([](Builder& b, ValueId map) {
    return b.op("fc", Gemm{}, {flatten(b, map), b.weights("w", {kChannels * 18, kClasses})});
  });
  EXPECT_FALSE(head.found);
}

TEST(Head, MeansOneAxisAfterTheOther) {
  for (const bool keep : {false, true}) {
    Head head([=](Builder& b, ValueId map) {
      const auto rows = b.op("rows", Reduce{.axes = Ints{3}, .keep_dims = keep}, {map});
      const auto all = b.op("all", Reduce{.axes = Ints{2}, .keep_dims = keep}, {rows});
      return flatten(b, all);
    });
    head.expect_same_scores();
  }
}

TEST(Head, ASumIsAScaledMean) {
  Head head([](Builder& b, ValueId map) {
    const auto sum =
        b.op("sum", Reduce{.kind = ReduceKind::sum, .axes = Ints{2, 3}, .keep_dims = false}, {map});
    return b.binary("div", BinaryKind::div, sum, b.scalar("n", 18));
  });
  head.expect_same_scores();
}

TEST(Head, ChannelsLastPooling) {
  Head head([](Builder& b, ValueId map) {
    const auto nhwc = b.op("nhwc", Transpose{{0, 2, 3, 1}}, {map});
    const auto mean = b.op("mean", Reduce{.axes = Ints{1, 2}, .keep_dims = false}, {nhwc});
    return b.op("fc", Gemm{}, {mean, b.weights("w", {kChannels, kClasses})});
  });
  head.expect_same_scores();
  EXPECT_EQ(head.found->feature_map, head.map);
}

TEST(Head, MergedPositions) {
  Head head([](Builder& b, ValueId map) {
    const auto flat = b.op("merged", Reshape{ReshapeKind::reshape, Ints{0, 0, -1}, false}, {map});
    return b.op("mean", Reduce{.axes = Ints{-1}, .keep_dims = false}, {flat});
  });
  head.expect_same_scores();
  EXPECT_EQ(head.found->feature_map, head.map);
}

TEST(Head, PaddingByNothingIsLookedThrough) {
  Head head([](Builder& b, ValueId map) {
    return pool_and_flatten(b, b.op("pad", Pad{PadMode::constant, Ints(8, 0), {}}, {map}));
  });
  head.expect_same_scores();
  EXPECT_EQ(head.found->feature_map, head.map);
}

TEST(Head, PoolingTwiceIsPoolingOnce) {
  Head head([](Builder& b, ValueId map) {
    const auto pool =
        b.op("pool", Pool{.kind = PoolKind::average, .window = {.kernel = {3, 6}}}, {map});
    return b.op("mean", Reduce{.axes = Ints{2, 3}, .keep_dims = false}, {pool});
  });
  head.expect_same_scores();
  EXPECT_EQ(head.found->feature_map, head.map);
}

TEST(Head, AMeanOverChannelsIsNone) {
  Head head([](Builder& b, ValueId map) {
    return b.op("mean", Reduce{.axes = Ints{1, 2, 3}, .keep_dims = false},
                {b.op("t", Transpose{{0, 1, 3, 2}}, {map})});
  });
  EXPECT_FALSE(head.found);
}

TEST(Head, ATransposeThatMovesTheBatchIsNone) {
  Head head(
      [](Builder& b, ValueId map) {
        return b.op("turned", Transpose{{1, 0}}, {global_pool(b, map, false)});
      },
      {4, 4, 3, 3});
  EXPECT_FALSE(head.found);
}

TEST(Head, VolumesAndSignals) {
  for (const Shape& shape : {Shape{2, 3, 7}, Shape{2, 3, 2, 3, 4}}) {
    Head head(
        [](Builder& b, ValueId map) {
          return b.op("fc", Gemm{}, {pool_and_flatten(b, map), b.weights("w", {3, 4})});
        },
        shape);
    head.expect_same_scores();
  }
}

TEST(Head, AGateByComputedValuesIsNone) {
  Head head([](Builder& b, ValueId map) {
    const auto flat = pool_and_flatten(b, map);
    return b.binary("gated", BinaryKind::mul, flat, b.unary("gate", UnaryKind::sigmoid, flat));
  });
  EXPECT_FALSE(head.found);
}

}  // namespace
}  // namespace fovea::graph::test
