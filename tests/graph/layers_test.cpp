#include <algorithm>
#include <functional>
#include <utility>

#include "graph/query.hpp"
#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

struct Net : Builder {
  ValueId conv(const std::string& name, ValueId x, std::int64_t filters, std::int64_t kernel = 3,
               std::int64_t stride = 1) {
    // Extents are known only after binding; channels are remembered here.
    const auto in = channels_.contains(x.index) ? channels_[x.index] : 3;
    const auto pad = kernel / 2;
    const auto y = op(name,
                      Conv{.window = {.strides = {stride, stride},
                                      .pads_begin = {pad, pad},
                                      .pads_end = {pad, pad}}},
                      {x, weights(name + "/w", {filters, in, kernel, kernel})});
    channels_[y.index] = filters;
    return y;
  }
  ValueId relu(const std::string& name, ValueId x) {
    const auto y = unary(name, UnaryKind::relu, x);
    channels_[y.index] = channels_[x.index];
    return y;
  }
  ValueId max_pool(const std::string& name, ValueId x) {
    const auto y = op(name, Pool{.window = {.kernel = {2, 2}, .strides = {2, 2}}}, {x});
    channels_[y.index] = channels_[x.index];
    return y;
  }
  ValueId global_pool(const std::string& name, ValueId x) {
    return op(name, Reduce{.spatial = true}, {x});
  }
  ValueId flat(const std::string& name, ValueId x) {
    return op(name, Reshape{ReshapeKind::flatten, {}, false}, {x});
  }
  ValueId fc(const std::string& name, ValueId x, std::int64_t from, std::int64_t to) {
    return op(name, Gemm{}, {x, weights(name + "/w", {from, to})});
  }

  DefaultLayer layer(ValueId logits) {
    output(logits);
    return find_default_layer(bound(), logits);
  }
  std::string layer_name(ValueId logits) {
    const auto found = layer(logits);
    return found.value ? value(found.value).name : "none: " + found.why;
  }

 private:
  std::map<std::int32_t, std::int64_t> channels_;
};

TEST(DefaultLayer, WhatGlobalPoolingReads) {
  Net n;
  auto v = n.relu("relu", n.conv("conv", n.input("x", {1, 3, 8, 8}), 4));
  const auto found = n.layer(n.fc("fc", n.flat("flat", n.global_pool("gap", v)), 4, 10));
  EXPECT_EQ(n.value(found.value).name, "relu");
  EXPECT_EQ(found.why,
            "the last feature map, [1, 4, 8, 8], which the head reads by global average pooling");
}

TEST(DefaultLayer, LooksBackThroughPoolsThatShrink) {
  Net n;
  auto v = n.relu("relu", n.conv("conv", n.input("x", {1, 3, 8, 8}), 4));
  v = n.unary("drop", UnaryKind::identity, n.max_pool("pool", v));
  const auto found = n.layer(n.fc("fc", n.flat("flat", v), 64, 10));
  EXPECT_EQ(n.value(found.value).name, "relu");
  EXPECT_EQ(found.why,
            "the last feature map, [1, 4, 8, 8], which the head reads by flattening, looked back "
            "through Identity, MaxPool");
}

TEST(DefaultLayer, LooksBackThroughChannelsLastFlattening) {
  Net n;
  auto v = n.max_pool("pool", n.relu("relu", n.conv("conv", n.input("x", {1, 3, 8, 8}), 4)));
  v = n.op("nhwc", Transpose{{0, 2, 3, 1}}, {v});
  EXPECT_EQ(n.layer_name(n.fc("fc", n.flat("flat", v), 64, 10)), "relu");
}

TEST(DefaultLayer, APoolThatKeepsTheExtentStays) {
  Net n;
  auto v = n.relu("relu", n.conv("conv", n.input("x", {1, 3, 8, 8}), 4));
  v = n.op("smooth", Pool{.window = {.kernel = {3, 3}, .pads_begin = {1, 1}, .pads_end = {1, 1}}},
           {v});
  EXPECT_EQ(n.layer_name(n.flat("flat", n.global_pool("gap", v))), "smooth");
}

TEST(DefaultLayer, ResidualAndConcat) {
  Net n;
  const auto a = n.relu("a", n.conv("c1", n.input("x", {1, 3, 8, 8}), 4));
  const auto add = n.binary("add", BinaryKind::add, n.conv("c2", a, 4), a);
  const auto cat = n.op("cat", Concat{1}, {add, a});
  EXPECT_EQ(n.layer_name(n.flat("flat", n.global_pool("gap", cat))), "cat");
}

TEST(DefaultLayer, SqueezeAndExciteIsPartOfTheMap) {
  Net n;
  const auto a = n.relu("a", n.conv("c1", n.input("x", {1, 3, 8, 8}), 4));
  const auto gate =
      n.unary("gate", UnaryKind::sigmoid,
              n.op("se", Conv{}, {n.global_pool("sq", a), n.weights("sew", {4, 4, 1, 1})}));
  const auto scaled = n.binary("scaled", BinaryKind::mul, a, gate);
  EXPECT_EQ(n.layer_name(n.flat("flat", n.global_pool("gap", scaled))), "scaled");
}

TEST(DefaultLayer, BothPoolsOfOneMap) {
  Net n;
  const auto a = n.relu("a", n.conv("c1", n.input("x", {1, 3, 8, 8}), 4));
  const auto mean = n.global_pool("mean", a);
  const auto max = n.op("max", Reduce{.kind = ReduceKind::max, .spatial = true}, {a});
  EXPECT_EQ(n.layer_name(n.flat("flat", n.op("cat", Concat{1}, {mean, max}))), "a");
}

TEST(DefaultLayer, PoolingWithAMaskReadsTheMapNotTheMask) {
  Net n;
  const auto a = n.relu("a", n.conv("c1", n.input("x", {1, 3, 8, 8}), 4));
  const auto mask = n.conv("mask", a, 1, 1);
  const auto rows = n.op("rows", Reshape{ReshapeKind::reshape, Ints{1, 4, 64}, false}, {a});
  const auto column = n.op("column", Reshape{ReshapeKind::reshape, Ints{1, 64, 1}, false}, {mask});
  const auto pooled = n.op("pooled", MatMul{}, {rows, column});
  const auto found = n.layer(n.flat("flat", pooled));
  // A product of two computed values: told, not guessed.
  EXPECT_FALSE(found.value);
  EXPECT_NE(found.why.find("mixed by attention"), std::string::npos) << found.why;
}

TEST(DefaultLayer, SeveralMapsTheLastOne) {
  Net n;
  const auto a = n.relu("a", n.conv("c1", n.input("x", {1, 3, 8, 8}), 4));
  const auto b = n.relu("b", n.conv("c2", a, 4, 3, 2));
  const auto cat = n.op("cat", Concat{1}, {n.global_pool("pa", a), n.global_pool("pb", b)});
  const auto found = n.layer(n.flat("flat", cat));
  EXPECT_EQ(n.value(found.value).name, "b");
  EXPECT_NE(found.why.find("the head reads 2 maps"), std::string::npos) << found.why;
}

TEST(DefaultLayer, NormAfterPooling) {
  // ConvNeXt's head: pool, layer norm, flatten, linear.
  Net n;
  const auto a = n.conv("c1", n.input("x", {1, 3, 8, 8}), 4);
  auto v = n.op("nhwc", Transpose{{0, 2, 3, 1}}, {n.global_pool("gap", a)});
  v = n.op("ln", LayerNorm{-1}, {v, n.weights("g", {4}), n.weights("b", {4})});
  v = n.op("nchw", Transpose{{0, 3, 1, 2}}, {v});
  EXPECT_EQ(n.layer_name(n.fc("fc", n.flat("flat", v), 4, 10)), "c1");
}

TEST(DefaultLayer, BlocksWithTheirChannelsLast) {
  // ConvNeXt's block: depthwise, channels last, norm, two products, channels first, add.
  Net n;
  const auto a = n.conv("c1", n.input("x", {1, 3, 8, 8}), 4);
  auto v = n.op("nhwc", Transpose{{0, 2, 3, 1}}, {n.conv("c2", a, 4)});
  v = n.op("ln", LayerNorm{-1}, {v, n.weights("g", {4}), n.weights("b", {4})});
  v = n.op("mm", MatMul{}, {v, n.weights("w", {4, 4})});
  v = n.op("nchw", Transpose{{0, 3, 1, 2}}, {v});
  const auto sum = n.binary("sum", BinaryKind::add, a, v);
  EXPECT_EQ(n.layer_name(n.flat("flat", n.global_pool("gap", sum))), "sum");
}

TEST(DefaultLayer, ChannelsLastToTheEnd) {
  Net n;
  const auto a = n.conv("c1", n.input("x", {1, 3, 8, 8}), 4);
  auto v = n.op("nhwc", Transpose{{0, 2, 3, 1}}, {a});
  v = n.op("ln", LayerNorm{-1}, {v, n.weights("g", {4})});
  const auto found = n.layer(n.op("mean", Reduce{.axes = Ints{1, 2}, .keep_dims = false}, {v}));
  EXPECT_EQ(n.value(found.value).name, "c1");
  EXPECT_NE(found.why.find("the head reads \"ln\""), std::string::npos) << found.why;
}

/// Patches into tokens, one attention, the mean over tokens.
ValueId transformer(Net& n, ValueId x) {
  const auto patches = n.conv("patches", x, 4, 1);
  auto v = n.op("flat", Reshape{ReshapeKind::reshape, Ints{0, 0, -1}, false}, {patches});
  const auto tokens = n.op("tokens", Transpose{{0, 2, 1}}, {v});
  const auto keys = n.op("keys", Transpose{{0, 2, 1}}, {tokens});
  const auto scores = n.op("qk", MatMul{}, {tokens, keys});
  const auto mixed = n.op("qkv", MatMul{}, {n.op("soft", Softmax{-1}, {scores}), tokens});
  return n.binary("add", BinaryKind::add, tokens, mixed);
}

TEST(DefaultLayer, ATransformersTokensThatTheHeadPools) {
  Net n;
  const auto v = transformer(n, n.input("x", {1, 3, 4, 4}));
  const auto found =
      n.layer(n.fc("fc", n.op("mean", Reduce{.axes = Ints{1}, .keep_dims = false}, {v}), 4, 10));
  ASSERT_TRUE(found.value) << found.why;
  EXPECT_EQ(n.value(found.value).name, "add");
  EXPECT_EQ(found.why,
            "the last sequence of tokens, [1, 16, 4], a grid of 4x4, which the head reads by "
            "global average pooling");
}

TEST(DefaultLayer, ATransformerThatPutsItsTokensBackIntoAMapHasOne) {
  Net n;
  const auto v = transformer(n, n.input("x", {1, 3, 4, 4}));
  const auto map = n.op("map", Transpose{{0, 2, 1}}, {v});
  EXPECT_EQ(n.layer_name(n.op("mean", Reduce{.axes = Ints{2}, .keep_dims = false}, {map})), "map");
}

TEST(DefaultLayer, WithoutAMapThereIsNone) {
  Net n;
  const auto found = n.layer(n.fc("fc", n.flat("flat", n.input("x", {1, 3, 4, 4})), 48, 10));
  EXPECT_FALSE(found.value);
  EXPECT_NE(found.why.find("no feature map"), std::string::npos) << found.why;
}

TEST(DefaultLayer, TheInputIsNoLayer) {
  Net n;
  const auto pool = n.max_pool("pool", n.input("x", {1, 3, 4, 4}));
  const auto found = n.layer(n.fc("fc", n.flat("flat", pool), 12, 10));
  EXPECT_FALSE(found.value);
  EXPECT_NE(found.why.find("input"), std::string::npos) << found.why;
}

TEST(DefaultLayer, AMapOfOnePositionIsPassedOver) {
  Net n;
  auto v = n.relu("big", n.conv("c1", n.input("x", {1, 3, 4, 4}), 4));
  v = n.op("c2", Conv{}, {v, n.weights("w2", {5, 4, 4, 4})});
  const auto found = n.layer(n.flat("flat", n.relu("small", v)));
  EXPECT_EQ(n.value(found.value).name, "big");
  EXPECT_NE(found.why.find("by Conv"), std::string::npos) << found.why;
}

TEST(DefaultLayer, AChannelShuffleKeepsTheMap) {
  Net n;
  auto v = n.conv("c1", n.input("x", {1, 3, 4, 4}), 4);
  v = n.op("grouped", Reshape{ReshapeKind::reshape, Ints{0, 2, 2, 4, 4}, false}, {v});
  v = n.op("turned", Transpose{{0, 2, 1, 3, 4}}, {v});
  v = n.op("shuffled", Reshape{ReshapeKind::reshape, Ints{0, 4, 4, 4}, false}, {v});
  EXPECT_EQ(n.layer_name(n.flat("flat", n.global_pool("gap", v))), "shuffled");
}

TEST(DefaultLayer, GroupNormSpelledOutKeepsTheMap) {
  // Before opset 21 exporters normalise groups as images of one row.
  Net n;
  auto v = n.conv("c1", n.input("x", {1, 3, 4, 4}), 4);
  v = n.op("rows", Reshape{ReshapeKind::reshape, Ints{0, 2, -1}, false}, {v});
  v = n.op("norm", InstanceNorm{}, {v, n.weights("g", {2}), n.weights("b", {2})});
  v = n.op("back", Reshape{ReshapeKind::reshape, Ints{1, 4, 4, 4}, false}, {v});
  v = n.binary("scaled", BinaryKind::mul, v, n.weights("s", {4, 1, 1}));
  v = n.relu("relu", v);
  EXPECT_EQ(n.layer_name(n.flat("flat", n.global_pool("gap", v))), "relu");
}

TEST(DefaultLayer, PositionsMergedAndSplitKeepTheMap) {
  Net n;
  auto v = n.conv("c1", n.input("x", {1, 3, 4, 4}), 4);
  v = n.op("merged", Reshape{ReshapeKind::reshape, Ints{0, 0, -1}, false}, {v});
  v = n.unary("act", UnaryKind::tanh, v);
  v = n.op("split", Reshape{ReshapeKind::reshape, Ints{0, 0, 4, 4}, false}, {v});
  v = n.unary("act2", UnaryKind::tanh, v);
  EXPECT_EQ(n.layer_name(n.fc("fc", n.flat("flat", v), 64, 5)), "act2");
}

TEST(DefaultLayer, WhatGlobalPoolingReadsIsAMapWhereverItComesFrom) {
  Net n;
  auto v = n.conv("c1", n.input("x", {1, 3, 4, 4}), 4);
  v = n.op("odd", Reshape{ReshapeKind::reshape, Ints{1, 8, 2, 4}, false}, {v});
  EXPECT_EQ(n.layer_name(n.flat("flat", n.global_pool("gap", v))), "odd");
}

TEST(DefaultLayer, VolumesAndSignals) {
  for (const Shape& shape : {Shape{1, 2, 9}, Shape{1, 2, 5, 5, 5}}) {
    Net n;
    Shape w{3, 2};
    w.resize(shape.size(), 3);
    const auto v = n.op("conv", Conv{}, {n.input("x", shape), n.weights("w", w)});
    EXPECT_EQ(n.layer_name(n.flat("flat", n.global_pool("gap", v))), "conv");
  }
}

/// Tokens of patches, each mixed with the others by a matrix over tokens (a mixer's first half).
ValueId mixed_tokens(Net& n, ValueId x) {
  const auto patches = n.conv("patches", x, 4, 1);
  auto v = n.op("flat", Reshape{ReshapeKind::reshape, Ints{0, 0, -1}, false}, {patches});
  const auto tokens = n.op("tokens", Transpose{{0, 2, 1}}, {v});
  v = n.op("turned", Transpose{{0, 2, 1}}, {tokens});
  v = n.op("mix", MatMul{}, {v, n.weights("m", {16, 16})});
  v = n.op("back", Transpose{{0, 2, 1}}, {v});
  v = n.binary("add", BinaryKind::add, tokens, v);
  return n.op("norm", LayerNorm{-1}, {v, n.weights("g", {4})});
}

TEST(DefaultLayer, AMixersTokensThatTheHeadPools) {
  Net n;
  const auto v = mixed_tokens(n, n.input("x", {1, 3, 4, 4}));
  const auto found =
      n.layer(n.fc("fc", n.op("mean", Reduce{.axes = Ints{1}, .keep_dims = false}, {v}), 4, 10));
  ASSERT_TRUE(found.value) << found.why;
  EXPECT_EQ(n.value(found.value).name, "norm");
  EXPECT_EQ(found.why,
            "the last sequence of tokens, [1, 16, 4], a grid of 4x4, which the head reads by "
            "global average pooling");
}

TEST(DefaultLayer, ProductsOverChannelsMixNoPositions) {
  Net n;
  const auto patches = n.conv("patches", n.input("x", {1, 3, 4, 4}), 4, 1);
  auto v = n.op("flat", Reshape{ReshapeKind::reshape, Ints{0, 0, -1}, false}, {patches});
  v = n.op("tokens", Transpose{{0, 2, 1}}, {v});
  v = n.op("product", MatMul{}, {v, n.weights("m", {4, 6})});
  const auto mean = n.op("mean", Reduce{.axes = Ints{1}, .keep_dims = false}, {v});
  EXPECT_EQ(n.layer_name(n.fc("fc", mean, 6, 10)), "patches");
}

TEST(DefaultLayer, TokensThatOnlyTheirPoolTells) {
  // LeViT's: attention leaves [images, tokens, channels] that nothing norms.
  Net n;
  const auto tokens = transformer(n, n.input("x", {1, 3, 4, 4}));
  auto v = n.op("heads", Reshape{ReshapeKind::reshape, Ints{0, 16, 2, 2}, false}, {tokens});
  v = n.op("turned", Transpose{{0, 2, 1, 3}}, {v});
  v = n.op("joined", Transpose{{0, 2, 1, 3}}, {n.unary("act", UnaryKind::tanh, v)});
  v = n.op("last", Reshape{ReshapeKind::reshape, Ints{1, -1, 4}, false}, {v});
  v = n.op("product", MatMul{}, {v, n.weights("m", {4, 6})});
  const auto mean = n.op("mean", Reduce{.axes = Ints{1}, .keep_dims = false}, {v});
  EXPECT_EQ(n.layer_name(n.fc("fc", mean, 6, 10)), "product");
}

TEST(DefaultLayer, TokensThatAttentionPools) {
  Net n;
  const auto tokens = n.op("norm", LayerNorm{-1},
                           {transformer(n, n.input("x", {1, 3, 4, 4})), n.weights("g", {4})});
  const auto product = [&](const std::string& name) {
    return n.binary(name + "/bias", BinaryKind::add, n.weights(name + "/b", {4}),
                    n.op(name, MatMul{}, {tokens, n.weights(name + "/w", {4, 4})}));
  };
  const auto keys = n.op("k/turned", Transpose{{0, 2, 1}}, {product("k")});
  const auto weights =
      n.op("weigh", Softmax{-1}, {n.op("scores", MatMul{}, {n.weights("query", {1, 1, 4}), keys})});
  const auto pooled = n.op("pooled", MatMul{}, {weights, product("v")});
  const auto found = n.layer(n.fc("fc", n.flat("out", pooled), 4, 10));
  ASSERT_TRUE(found.value) << found.why;
  EXPECT_EQ(n.value(found.value).name, "norm");
  EXPECT_NE(found.why.find("reads by attention"), std::string::npos) << found.why;
}

/// The names of the default layer and of the one whose channels are features.
std::pair<std::string, std::string> layers_of(Net& n, ValueId logits) {
  const auto found = n.layer(logits);
  const auto name = [&](ValueId id) { return id ? n.value(id).name : "none"; };
  return {name(found.value), name(found.features)};
}
using Names = std::pair<std::string, std::string>;

TEST(FeatureLayer, IsInFrontOfAMapPerClass) {
  // SqueezeNet's head: dropout, a convolution to the classes, ReLU, a pool over all positions.
  Net n;
  auto v = n.relu("fire", n.conv("c1", n.input("x", {1, 3, 8, 8}), 4));
  const auto dropped = n.unary("dropout", UnaryKind::identity, v);
  v = n.op("c2", Conv{}, {dropped, n.weights("w", {10, 4, 1, 1}), n.weights("b", {10})});
  v = n.unary("act", UnaryKind::relu, v);
  const auto classes = v;
  const auto logits = n.flat("flat", n.global_pool("gap", v));
  EXPECT_EQ(layers_of(n, logits), Names("act", "fire"));
  const auto maps = find_class_maps(n.graph, logits);
  EXPECT_TRUE(maps[static_cast<std::size_t>(classes.index)]);
  EXPECT_FALSE(maps[static_cast<std::size_t>(dropped.index)]);
  EXPECT_FALSE(maps[static_cast<std::size_t>(logits.index)]);
}

TEST(FeatureLayer, OfScoresAtPositionsInAnyOrderOfTheirAxes) {
  // A segmentation's softmax over the last axis, behind a transposition that swaps rows and
  // columns.
  Net n;
  const auto v = n.relu("body", n.conv("c1", n.input("x", {1, 3, 8, 6}), 4));
  const auto classes = n.op("classes", Conv{}, {v, n.weights("w", {2, 4, 1, 1})});
  const auto turned = n.op("turned", Transpose{{0, 3, 2, 1}}, {classes});
  EXPECT_EQ(layers_of(n, turned), Names("classes", "body"));
}

TEST(FeatureLayer, WhateverPoolsTheClasses) {
  const auto pools = std::vector<std::function<ValueId(Net&, ValueId)>>{
      [](Net& n, ValueId v) {
        return n.flat("flat", n.op("pool", Pool{PoolKind::average, {.kernel = {8, 8}}}, {v}));
      },
      [](Net& n, ValueId v) {
        return n.flat("flat", n.max_pool("p3", n.max_pool("p2", n.max_pool("p1", v))));
      },
      [](Net& n, ValueId v) {
        v = n.op("nhwc", Transpose{{0, 2, 3, 1}}, {v});
        return n.op("mean", Reduce{.axes = Ints{1, 2}, .keep_dims = false}, {v});
      },
      [](Net& n, ValueId v) {
        v = n.op("rows", Reshape{ReshapeKind::reshape, Ints{0, 10, 64}, false}, {v});
        v = n.binary("scaled", BinaryKind::mul, v, n.weights("s", {10, 1}));
        return n.op("max", Reduce{.kind = ReduceKind::max, .axes = Ints{2}, .keep_dims = false},
                    {v});
      },
      // A fully convolutional network's scores at positions.
      [](Net& n, ValueId v) {
        return n.op("up", Resize{.scales = std::vector<float>{1, 1, 2, 2}}, {v});
      },
      // The sum of two maps per class.
      [](Net& n, ValueId v) {
        const auto finer =
            n.op("c3", Conv{}, {n.graph.find_value("fire"), n.weights("w3", {10, 4, 1, 1})});
        return n.flat("flat", n.global_pool("gap", n.binary("sum", BinaryKind::add, v, finer)));
      }};
  for (std::size_t i = 0; i < pools.size(); ++i) {
    Net n;
    const auto fire = n.relu("fire", n.conv("c1", n.input("x", {1, 3, 8, 8}), 4));
    const auto v = n.op("c2", Conv{}, {fire, n.weights("w", {10, 4, 1, 1})});
    EXPECT_EQ(layers_of(n, pools[i](n, v)).second, "fire") << i;
  }
}

TEST(FeatureLayer, IsTheDefaultWhereChannelsAreMixed) {
  const auto heads = std::vector<std::function<ValueId(Net&, ValueId)>>{
      [](Net& n, ValueId v) { return n.fc("fc", n.flat("flat", n.global_pool("gap", v)), 4, 10); },
      // As many channels as classes, mixed all the same.
      [](Net& n, ValueId v) { return n.fc("fc", n.flat("flat", n.global_pool("gap", v)), 4, 4); },
      [](Net& n, ValueId v) {
        return n.op("sums", MatMul{},
                    {n.flat("flat", n.global_pool("gap", v)), n.weights("m", {4, 4})});
      }};
  for (std::size_t i = 0; i < heads.size(); ++i) {
    Net n;
    const auto v = n.relu("last", n.conv("c1", n.input("x", {1, 3, 8, 8}), 4));
    const auto [layer, features] = layers_of(n, heads[i](n, v));
    EXPECT_EQ(features, layer) << i;
  }
}

TEST(FeatureLayer, AMapThatTheHeadMixesAsWellIsNoMapPerClass) {
  // A residual block to the classes: its input has their number of channels, and is read twice.
  Net n;
  const auto a = n.relu("a", n.conv("c1", n.input("x", {1, 3, 8, 8}), 4));
  const auto sum = n.binary("sum", BinaryKind::add, a, n.conv("c2", a, 4));
  EXPECT_EQ(layers_of(n, n.flat("flat", n.global_pool("gap", sum))), Names("sum", "a"));
}

TEST(FeatureLayer, IsNoneWhereTheClassesAreAllThereIs) {
  Net n;
  const auto v = n.conv("c1", n.input("x", {1, 3, 8, 8}), 4);
  EXPECT_EQ(layers_of(n, n.flat("flat", n.global_pool("gap", v))), Names("c1", "none"));
}

TEST(FeatureLayer, OfASingleScoreIsInFrontOfItsOneMap) {
  Net n;
  const auto fire = n.relu("fire", n.conv("c1", n.input("x", {2, 3, 8, 8}), 4));
  const auto v = n.op("c2", Conv{}, {fire, n.weights("w", {1, 4, 1, 1})});
  EXPECT_EQ(layers_of(n, n.flat("flat", n.global_pool("gap", v))), Names("c2", "fire"));
}

TEST(Layers, ListsMapsThatReachTheScores) {
  Net n;
  const auto a = n.relu("a", n.conv("c1", n.input("x", {1, 3, 8, 8}), 4));
  n.conv("aside", a, 4);
  const auto nhwc = n.op("nhwc", Transpose{{0, 2, 3, 1}}, {a});
  const auto logits = n.op("mean", Reduce{.axes = Ints{1, 2}, .keep_dims = false}, {nhwc});
  n.output(logits);
  n.bound();
  std::vector<std::string> names;
  for (const auto id : explainable_layers(n.graph, logits)) names.push_back(n.value(id).name);
  EXPECT_EQ(names, (std::vector<std::string>{"c1", "a", "nhwc"}));
}

TEST(Layers, AreFoundByValueNodeAndOperator) {
  Builder b;
  const auto x = b.input("x", {1, 3, 8, 8});
  const auto first = b.ops("node1", Conv{}, {x, b.weights("w", {3, 3, 1, 1})}, {"first"})[0];
  const auto second = b.ops("node2", Conv{}, {first, b.weights("v", {3, 3, 1, 1})}, {"second"})[0];
  b.unary("relu", UnaryKind::relu, second);
  b.bound();
  EXPECT_EQ(find_layer(b.graph, "first"), first);
  EXPECT_EQ(find_layer(b.graph, "node1"), first);
  EXPECT_EQ(find_layer(b.graph, "Conv"), second);
  EXPECT_FALSE(find_layer(b.graph, "nothing"));
  EXPECT_FALSE(find_layer(b.graph, "x"));
  EXPECT_FALSE(find_layer(b.graph, "w"));
  EXPECT_FALSE(find_layer(b.graph, ""));
}

TEST(Layers, Reach) {
  Builder b;
  const auto x = b.input("x", {1});
  const auto y = b.unary("y", UnaryKind::relu, x);
  const auto side = b.unary("side", UnaryKind::relu, x);
  const auto z = b.unary("z", UnaryKind::relu, y);
  b.bound();
  EXPECT_TRUE(reaches(b.graph, x, z));
  EXPECT_TRUE(reaches(b.graph, y, y));
  EXPECT_FALSE(reaches(b.graph, side, z));
  EXPECT_FALSE(reaches(b.graph, z, x));
  EXPECT_FALSE(reaches(b.graph, {}, z));
}

TEST(Layers, OfAGraphWithAHundredThousandNodes) {
  Net n;
  auto v = n.conv("conv", n.input("x", {1, 3, 2, 2}), 3);
  for (int i = 0; i < 100000; ++i) v = n.unary("n" + std::to_string(i), UnaryKind::tanh, v);
  EXPECT_EQ(n.layer_name(n.flat("flat", n.global_pool("gap", v))), "n99999");
}

}  // namespace
}  // namespace fovea::graph::test
