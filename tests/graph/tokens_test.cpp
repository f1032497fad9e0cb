#include <algorithm>

#include "graph/query.hpp"
#include "graph/query/live.hpp"
#include "graph/support.hpp"

/// Sequences of tokens: the grid they lie on, and what of them the scores see.
namespace fovea::graph::test {
namespace {

constexpr std::int64_t kWidth = 4;

struct Encoder : Builder {
  /// [batch, rows columns, kWidth] of an image by a convolution, `front` learnt tokens before it.
  ValueId patches(std::int64_t rows, std::int64_t columns, std::int64_t front,
                  std::int64_t behind = 0, std::int64_t batch = 1) {
    auto v = op("conv", Conv{.window = {.strides = {2, 2}}},
                {input("x", {batch, 3, 2 * rows, 2 * columns}), weights("e", {kWidth, 3, 2, 2})});
    v = op("flat", Reshape{ReshapeKind::reshape, Ints{0, 0, -1}, false}, {v});
    v = op("patches", Transpose{{0, 2, 1}}, {v});
    std::vector<ValueId> parts{v};
    if (front > 0) parts.insert(parts.begin(), weights("front", {batch, front, kWidth}));
    if (behind > 0) parts.push_back(weights("behind", {batch, behind, kWidth}));
    if (parts.size() > 1) v = op("tokens", Concat{1}, parts);
    return v;
  }
  ValueId norm(const std::string& name, ValueId x) {
    return op(name, LayerNorm{-1},
              {x, weights(name + "/g", {kWidth}), weights(name + "/b", {kWidth})});
  }
  ValueId dense(const std::string& name, ValueId x, std::int64_t from, std::int64_t to) {
    return op(name, MatMul{}, {x, weights(name + "/w", {from, to})});
  }
  /// Pre-norm, one head; queries, keys and values by one product.
  ValueId block(const std::string& name, ValueId x) {
    const auto qkv = dense(name + "qkv", norm(name + "norm1", x), kWidth, 3 * kWidth);
    const auto parts = ops(name + "split", Split{.axis = 2, .sizes = Ints{kWidth, kWidth, kWidth}},
                           {qkv}, {name + "q", name + "k", name + "v"});
    const auto keys = op(name + "kT", Transpose{{0, 2, 1}}, {parts[1]});
    const auto scores = op(name + "scores", MatMul{}, {parts[0], keys});
    const auto soft = op(name + "soft", Softmax{-1}, {scores});
    const auto mixed = op(name + "mixed", MatMul{}, {soft, parts[2]});
    const auto add =
        binary(name + "add1", BinaryKind::add, x, dense(name + "out", mixed, kWidth, kWidth));
    auto v = dense(name + "up", norm(name + "norm2", add), kWidth, 2 * kWidth);
    v = dense(name + "down", unary(name + "gelu", UnaryKind::gelu, v), 2 * kWidth, kWidth);
    return binary(name + "add2", BinaryKind::add, add, v);
  }
  ValueId class_head(ValueId x, std::int64_t token = 0) {
    const auto read = op("token", Gather{1}, {norm("last", x), int_scalar("index", token)});
    return finish(op("logits", Gemm{}, {read, weights("head", {kWidth, 5})}));
  }
  ValueId mean_head(ValueId x) {
    const auto read = op("mean", Reduce{.axes = Ints{1}, .keep_dims = false}, {norm("last", x)});
    return finish(op("logits", Gemm{}, {read, weights("head", {kWidth, 5})}));
  }
  ValueId finish(ValueId logits) {
    output(logits);
    bound();
    return logits;
  }
  std::string default_name(ValueId logits, const TokenOptions& options = {}) {
    const auto found = find_default_layer(graph, logits, options);
    return found.value ? value(found.value).name : "none: " + found.why;
  }
  MapForm form(ValueId logits, std::string_view name, const TokenOptions& options = {}) {
    return MapForms(graph, logits, options).of(find_layer(graph, name));
  }
};

TEST(Tokens, AGridThatIsNoSquareIsThePatchEmbeddings) {
  Encoder e;
  const auto logits = e.class_head(e.block("a/", e.patches(2, 3, 1)));
  EXPECT_EQ(e.form(logits, "tokens").grid, (Grid{{2, 3}, 1, 0, {2}}));
  EXPECT_EQ(e.form(logits, "a/norm1").grid, (Grid{{2, 3}, 1, 0, {2}}));
  EXPECT_EQ(e.form(logits, "patches").grid, (Grid{{2, 3}, 0, 0, {2}}));
  EXPECT_EQ(e.form(logits, "flat").grid, (Grid{{2, 3}, 0, 0, {1}}));
  EXPECT_EQ(e.form(logits, "conv").grid, std::nullopt);
}

TEST(Tokens, HoweverManyStandInFrontAndBehind) {
  Encoder e;
  const auto logits = e.class_head(e.block("a/", e.patches(2, 3, 5, 2)));
  EXPECT_EQ(e.form(logits, "a/norm1").grid, (Grid{{2, 3}, 5, 0, {2}}));
}

TEST(Tokens, CutOffTheyAreGoneFromTheFront) {
  Encoder e;
  const auto v = e.op("cut", Slice{Ints{2}, Ints{11}, Ints{1}, Ints{1}}, {e.patches(2, 3, 5)});
  const auto part = e.op("part", Slice{Ints{6}, Ints{11}, Ints{1}, Ints{1}}, {v});
  const auto both = e.op("both", Concat{1}, {v, part});
  const auto logits = e.mean_head(both);
  EXPECT_EQ(e.form(logits, "cut").grid, (Grid{{2, 3}, 3, 0, {2}}));
  EXPECT_EQ(e.form(logits, "both").grid, (Grid{{2, 3}, 3, 0, {2}}));
}

TEST(Tokens, AMapWithItsChannelsLastIsItsOwnGrid) {
  Encoder e;
  auto v = e.op("conv", Conv{}, {e.input("x", {1, 3, 4, 5}), e.weights("w", {kWidth, 3, 1, 1})});
  v = e.op("nhwc", Transpose{{0, 2, 3, 1}}, {v});
  const auto logits =
      e.finish(e.op("mean", Reduce{.axes = Ints{1, 2}, .keep_dims = false}, {e.norm("norm", v)}));
  EXPECT_EQ(e.form(logits, "norm").grid, (Grid{{4, 5}, 0, 0, {3}}));
}

TEST(Tokens, ImagesBehindTheTokensHaveTheirOwnAxis) {
  for (const std::int64_t images : {1, 3}) {
    SCOPED_TRACE(images);
    Encoder e;
    auto v = e.patches(2, 3, 1, 0, images);
    v = e.norm("norm", e.op("first", Transpose{{1, 0, 2}}, {v}));
    e.op("narrow", Transpose{{2, 1, 0}}, {v});
    const auto read = e.op("mean", Reduce{.axes = Ints{0}, .keep_dims = false}, {v});
    const auto logits = e.finish(e.op("logits", Gemm{}, {read, e.weights("head", {kWidth, 5})}));
    EXPECT_EQ(e.form(logits, "first").grid, (Grid{{2, 3}, 1, 1, {2}}));
    EXPECT_EQ(e.form(logits, "norm").grid, (Grid{{2, 3}, 1, 1, {2}}));
    EXPECT_EQ(e.form(logits, "narrow").grid, std::nullopt);  // tokens behind their channels
    EXPECT_NE(e.form(logits, "narrow").refusal.find("behind their channels"), std::string::npos);
    const auto pictures = find_image_batch(e.graph, logits);
    EXPECT_EQ(pictures.count, images);
    EXPECT_EQ(pictures.axis_of(find_layer(e.graph, "norm")), std::optional<std::size_t>(1));
    EXPECT_EQ(pictures.axis_of(find_layer(e.graph, "tokens")), std::optional<std::size_t>(0));
  }
}

TEST(Tokens, AnotherOrderOfTheAxesIsNoLaterLayer) {
  for (const bool pooled : {true, false}) {
    Encoder e;
    auto v = e.block("a/", e.patches(2, 3, 1, 0, 2));
    const auto turned = e.op("turned", Transpose{{1, 0, 2}}, {e.norm("norm", v)});
    ValueId read = turned;
    if (!pooled) {
      const auto rows = e.op("keys", Transpose{{1, 2, 0}}, {turned});
      const auto back = e.op("back", Transpose{{1, 0, 2}}, {turned});
      const auto soft = e.op("soft", Softmax{-1}, {e.op("scores", MatMul{}, {back, rows})});
      const auto mixed = e.op("mixed", MatMul{}, {soft, back});
      read = e.op("token", Gather{1}, {mixed, e.int_scalar("index", 0)});
    } else {
      read = e.op("mean", Reduce{.axes = Ints{0}, .keep_dims = false}, {turned});
    }
    const auto logits = e.finish(e.op("logits", Gemm{}, {read, e.weights("head", {kWidth, 5})}));
    EXPECT_EQ(e.default_name(logits), "norm");
    EXPECT_EQ(e.form(logits, "turned").grid, (Grid{{2, 3}, 1, 1, {2}}));
  }
}

/// Patches cut out by reshaping: nothing but the norms says that these are tokens.
ValueId cut_out(Encoder& e, std::int64_t tokens, const Shape& image) {
  const auto x = e.input("x", image);
  const auto v = e.op("cut", Reshape{ReshapeKind::reshape, Ints{1, tokens, -1}, false}, {x});
  const auto each = image[1] * image[2] * image[3] / tokens;
  return e.mean_head(e.block("a/", e.dense("embed", v, each, kWidth)));
}

TEST(Tokens, WithoutAPatchEmbeddingTheImageSaysHowTheyLie) {
  Encoder e;
  const auto logits = cut_out(e, 6, {1, 3, 8, 12});
  EXPECT_EQ(e.default_name(logits), "last");
  EXPECT_EQ(e.form(logits, "last").grid, (Grid{{2, 3}, 0, 0, {2}}));
}

TEST(Tokens, OrTheyAreASquare) {
  Encoder e;
  const auto logits = cut_out(e, 9, {1, 3, 6, 8});
  EXPECT_EQ(e.form(logits, "last").grid, (Grid{{3, 3}, 0, 0, {2}}));
}

TEST(Tokens, OrItMustBeSaid) {
  Encoder e;
  const auto logits = cut_out(e, 8, {1, 3, 8, 8});
  const auto unknown = e.form(logits, "last");
  EXPECT_FALSE(unknown.grid);
  EXPECT_NE(unknown.refusal.find("8 tokens"), std::string::npos) << unknown.refusal;
  EXPECT_NE(unknown.refusal.find("give the token grid"), std::string::npos) << unknown.refusal;
  EXPECT_NE(e.default_name(logits).find("give the token grid"), std::string::npos);
  EXPECT_EQ(e.form(logits, "last", {{2, 4}, {}}).grid, (Grid{{2, 4}, 0, 0, {2}}));
  EXPECT_EQ(e.default_name(logits, {{2, 4}, {}}), "last");
  EXPECT_EQ(e.form(logits, "last", {{}, 4}).grid, (Grid{{2, 2}, 4, 0, {2}}));
  EXPECT_EQ(e.form(logits, "last", {{2, 2}, 4}).grid, (Grid{{2, 2}, 4, 0, {2}}));
}

TEST(Tokens, AGridThatDoesNotFitIsRefused) {
  Encoder e;
  const auto logits = e.class_head(e.block("a/", e.patches(3, 4, 1)));
  EXPECT_EQ(e.form(logits, "a/norm1", {{4, 3}, {}}).grid, (Grid{{4, 3}, 1, 0, {2}}));
  const auto refusal = [&](const TokenOptions& options) {
    const auto form = e.form(logits, "a/norm1", options);
    EXPECT_FALSE(form.grid);
    return form.refusal;
  };
  EXPECT_EQ(refusal({{4, 4}, {}}),
            "this layer is a sequence of 13 tokens, and the token grid 4x4 has 16 places");
  EXPECT_EQ(
      refusal({{3, 3}, {}}),
      "this layer is a sequence of 13 tokens, and the token grid 3x3 has 9 places, which "
      "leaves 4 tokens in front of the patches, where 0 or 1 are expected: give their number");
  EXPECT_NE(refusal({{3, 3}, 3}).find("where 3 were given"), std::string::npos);
}

TEST(Tokens, BehindTheLastAttentionTheClassTokenIsAllThatCounts) {
  Encoder e;
  const auto logits = e.class_head(e.block("b/", e.block("a/", e.patches(2, 3, 1))));
  const auto found = find_default_layer(e.graph, logits);
  ASSERT_TRUE(found.value) << found.why;
  EXPECT_EQ(e.value(found.value).name, "b/norm1");
  EXPECT_EQ(found.why,
            "the last sequence of tokens whose patches the scores depend on, [1, 7, 4], a grid of "
            "2x3 behind a class token; behind it the head reads the class token alone");
  for (const auto* name : {"b/add1", "b/norm2", "b/gelu", "b/add2", "last", "b/q"}) {
    const auto form = e.form(logits, name);
    EXPECT_TRUE(form.grid) << name;
    EXPECT_NE(form.unseen.find("no gradient reaches"), std::string::npos) << name;
  }
  for (const auto* name : {"a/add2", "b/norm1", "b/qkv", "b/k", "b/v", "a/add1"})
    EXPECT_EQ(e.form(logits, name).unseen, "") << name;
  const auto layers = explainable_layers(e.graph, logits);
  const auto lists = [&](std::string_view name) {
    return std::find(layers.begin(), layers.end(), find_layer(e.graph, name)) != layers.end();
  };
  EXPECT_TRUE(lists("b/norm1"));
  EXPECT_FALSE(lists("b/add2"));
}

TEST(Tokens, ManyImagesHaveTheSameDefault) {
  Encoder e;
  const auto logits = e.class_head(e.block("b/", e.block("a/", e.patches(2, 3, 1, 0, 3))));
  EXPECT_EQ(e.default_name(logits), "b/norm1");
}

TEST(Tokens, AClassTokenBehindThePatches) {
  Encoder e;
  const auto logits = e.class_head(e.block("b/", e.block("a/", e.patches(2, 3, 0, 1))), -1);
  EXPECT_EQ(e.default_name(logits), "b/norm1");
  EXPECT_EQ(e.form(logits, "b/norm1").grid, (Grid{{2, 3}, 0, 0, {2}}));
  EXPECT_NE(e.form(logits, "b/add2").unseen.find("no gradient"), std::string::npos);
}

TEST(Tokens, AHeadThatPoolsThePatchesReadsTheLastOnes) {
  Encoder e;
  const auto v = e.norm("last", e.block("a/", e.patches(2, 3, 1)));
  const auto rest = e.op("rest", Slice{Ints{1}, Ints{7}, Ints{1}, Ints{1}}, {v});
  const auto read = e.op("mean", Reduce{.axes = Ints{1}, .keep_dims = false}, {rest});
  const auto logits = e.finish(e.op("logits", Gemm{}, {read, e.weights("head", {kWidth, 5})}));
  EXPECT_EQ(e.default_name(logits), "rest");
  EXPECT_EQ(e.form(logits, "rest").grid, (Grid{{2, 3}, 0, 0, {2}}));
  EXPECT_EQ(e.form(logits, "last").grid, (Grid{{2, 3}, 1, 0, {2}}));
}

/// Scores of a class token beside the largest of scores per patch.
struct TwoHeads : Encoder {
  ValueId of_token(ValueId x) {
    const auto token = op("token", Gather{1}, {x, int_scalar("index", 0)});
    return op("fc", Gemm{}, {token, weights("head", {kWidth, 5})});
  }
  ValueId of_patches(ValueId x) {
    const auto rest = op("rest", Slice{Ints{1}, Ints{7}, Ints{1}, Ints{1}}, {x});
    return op("max", Reduce{.kind = ReduceKind::max, .axes = Ints{1}, .keep_dims = false},
              {dense("aux", rest, kWidth, 5)});
  }
};

TEST(Tokens, AClassTokenThatGoesRoundThePatchesComesFromTheSameLayer) {
  // VOLO's head: the class token has seen the patches in front of the norm that both are read from.
  TwoHeads e;
  const auto v = e.norm("last", e.block("b/", e.block("a/", e.patches(2, 3, 1))));
  const auto of_token = e.of_token(v);
  const auto logits = e.finish(e.binary("logits", BinaryKind::add, of_token, e.of_patches(v)));
  const auto found = find_default_layer(e.graph, logits);
  ASSERT_TRUE(found.value) << found.why;
  EXPECT_EQ(e.value(found.value).name, "a/add2");
  EXPECT_EQ(found.why,
            "the last sequence of tokens whose patches all of the scores depend on, [1, 7, 4], a "
            "grid of 2x3 behind a class token; some of them go through \"aux\"");
}

TEST(Tokens, WhicheverOfTheTwoComesLast) {
  for (const bool token_first : {true, false}) {
    TwoHeads e;
    const auto v = e.block("a/", e.patches(2, 3, 1));
    const auto of_token = [&] { return e.of_token(e.norm("last", e.block("b/", v))); };
    const auto first = token_first ? of_token() : e.of_patches(v);
    const auto second = token_first ? e.of_patches(v) : of_token();
    const auto logits = e.finish(e.binary("logits", BinaryKind::add, first, second));
    EXPECT_EQ(e.default_name(logits), "a/add2");
  }
}

TEST(Tokens, TwoTokensCutFromThePatchesAreNoLayer) {
  // DeiT's and PiT's with distillation: both tokens are normed before each is read.
  Encoder e;
  const auto v = e.block("b/", e.block("a/", e.patches(2, 3, 2)));
  const auto two = e.op("two", Slice{Ints{0}, Ints{2}, Ints{1}, Ints{1}}, {v});
  const auto read =
      e.op("mean", Reduce{.axes = Ints{1}, .keep_dims = false}, {e.norm("last", two)});
  const auto logits = e.finish(e.op("logits", Gemm{}, {read, e.weights("head", {kWidth, 5})}));
  EXPECT_EQ(e.default_name(logits), "b/norm1");
}

TEST(Tokens, TokensThatAConvolutionMixesArePositionsNoMoreThanBefore) {
  // CoaT's aggregation: tokens side by side as channels of a convolution along their own channels.
  Encoder e;
  const auto v = e.norm("last", e.block("b/", e.block("a/", e.patches(2, 3, 3))));
  std::vector<ValueId> tokens;
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto name = "token" + std::to_string(i);
    const auto one = e.op(name, Gather{1}, {v, e.int_scalar(name + "/index", i)});
    tokens.push_back(e.op(name + "/row", Reshape{ReshapeKind::unsqueeze, Ints{1}}, {one}));
  }
  auto read = e.op("joined", Concat{1}, tokens);
  read = e.op("mixed", Conv{}, {read, e.weights("m", {1, 3, 1})});
  read = e.op("row", Reshape{ReshapeKind::squeeze, Ints{1}}, {read});
  const auto logits = e.finish(e.op("logits", Gemm{}, {read, e.weights("head", {kWidth, 5})}));
  EXPECT_EQ(e.default_name(logits), "b/norm1");
  const auto layers = explainable_layers(e.graph, logits, {});
  for (const auto* name : {"joined", "mixed"})
    EXPECT_EQ(std::count(layers.begin(), layers.end(), find_layer(e.graph, name)), 0) << name;
}

using detail::Live;

struct Parts : Builder {
  /// The part of "x" that a selection of rows [1, 3) of 6 along `axis` of `y` leaves.
  Live of(ValueId y, std::int64_t axis) {
    const auto logits = op("pick", Slice{Ints{1}, Ints{3}, Ints{axis}, Ints{1}}, {y});
    output(logits);
    bound();
    const auto live = detail::live_parts(graph, logits);
    return live[static_cast<std::size_t>(find_layer(graph, "x").index)];
  }
  ValueId x(const Shape& shape) { return unary("x", UnaryKind::tanh, input("in", shape)); }
};

void expect_rows(const Live& live, std::size_t axis) {
  EXPECT_EQ(live.part, Live::Part::range);
  EXPECT_EQ(live.axis, axis);
  EXPECT_EQ(live.period, 6);
  EXPECT_EQ(live.begin, 1);
  EXPECT_EQ(live.end, 3);
}

TEST(LiveParts, RowsStayApart) {
  using Make = std::function<ValueId(Parts&, ValueId)>;
  const auto reshape = [](Ints spec) {
    return Reshape{ReshapeKind::reshape, std::move(spec), false};
  };
  struct Case {
    const char* name;
    Shape x;
    Make make;
    std::int64_t picked;
    std::size_t axis;
  };
  const std::vector<Case> cases = {
      {"transpose",
       {2, 6, 4},
       [](auto& p, auto x) {
         return p.op("y", Transpose{{1, 0, 2}}, {x});
       },
       0,
       1},
      {"merged",
       {2, 6, 4},
       [&](auto& p, auto x) {
         const auto rows = p.op("rows", reshape({12, 4}), {x});
         const auto y = p.op("gemm", Gemm{}, {rows, p.weights("w", {4, 5})});
         return p.op("y", reshape({2, 6, 5}), {y});
       },
       1,
       1},
      {"heads",
       {2, 6, 4},
       [&](auto& p, auto x) {
         return p.op("y", reshape({2, 6, 2, 2}), {x});
       },
       1,
       1},
      {"broadcast",
       {6, 4},
       [](auto& p, auto x) {
         return p.binary("y", BinaryKind::mul, x, p.weights("w", {3, 6, 1}));
       },
       1,
       0},
      {"einsum",
       {6, 4},
       [](auto& p, auto x) {
         return p.op("y", Einsum{"ab, cb -> ca"}, {x, p.weights("w", {5, 4})});
       },
       1,
       0},
      {"softmax", {2, 6, 4}, [](auto& p, auto x) { return p.op("y", Softmax{-1}, {x}); }, 1, 1},
      {"sum",
       {2, 3, 6},
       [](auto& p, auto x) { return p.op("y", Reduce{.axes = Ints{1}, .keep_dims = false}, {x}); },
       1,
       2},
      {"joined",
       {2, 6, 4},
       [](auto& p, auto x) {
         return p.op("y", Concat{2}, {x, x});
       },
       1,
       1},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.name);
    Parts p;
    expect_rows(p.of(one.make(p, p.x(one.x)), one.picked), one.axis);
  }
}

TEST(LiveParts, WhatMixesRowsNeedsThemAll) {
  const auto all = [](Live live) { return live.part == Live::Part::everything; };
  {
    Parts p;
    const auto x = p.x({6, 6});
    EXPECT_TRUE(all(p.of(p.op("y", MatMul{}, {x, x}), 0)));
  }
  {
    // One row, repeated: no range of six is its own.
    Parts p;
    EXPECT_TRUE(
        all(p.of(p.op("y", Einsum{"ab,ac->ab"}, {p.x({1, 4}), p.weights("w", {6, 5})}), 0)));
  }
  {
    Parts p;
    EXPECT_TRUE(all(p.of(p.op("y", Softmax{1}, {p.x({2, 6, 4})}), 1)));
  }
  {
    Parts p;
    EXPECT_TRUE(all(p.of(p.op("y", LayerNorm{1}, {p.x({2, 6, 4}), p.weights("g", {6, 4})}), 1)));
  }
  {
    Parts p;
    EXPECT_TRUE(
        all(p.of(p.op("y", Reshape{ReshapeKind::reshape, Ints{6, 4}, false}, {p.x({4, 6})}), 0)));
  }
}

TEST(LiveParts, AJoinedOperandOutsideTheRangeCountsForNothing) {
  Parts p;
  const auto x = p.x({2, 3, 4});
  const auto front = p.unary("front", UnaryKind::tanh, p.input("f", {2, 3, 4}));
  const auto live = p.of(p.op("y", Concat{1}, {front, x}), 1);
  EXPECT_EQ(live.part, Live::Part::nothing);
}

}  // namespace
}  // namespace fovea::graph::test
