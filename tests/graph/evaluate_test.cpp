#include <cmath>
#include <limits>
#include <numeric>

#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

constexpr auto kBad = ErrorCode::bad_model;

/// Builds one node over constants, binds, and returns the builder and its value.
struct Evaluated {
  Builder b;
  ValueId y;
  Ints ints() const { return ints_of(b.graph, y); }
  std::vector<float> floats() const { return floats_of(b.graph, y); }
  const Shape& shape() const { return b.value(y).shape; }
};

Evaluated of_ints(const Op& op, const std::vector<Ints>& inputs) {
  Evaluated e;
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    ids.push_back(e.b.ints("i" + std::to_string(i), inputs[i]));
  e.y = e.b.op("y", op, ids);
  e.b.bound();
  return e;
}

Evaluated of_floats(const Op& op, const std::vector<std::vector<float>>& inputs) {
  Evaluated e;
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    ids.push_back(e.b.floats("f" + std::to_string(i), {static_cast<std::int64_t>(inputs[i].size())},
                             inputs[i]));
  e.y = e.b.op("y", op, ids);
  e.b.bound();
  return e;
}

Ints binary(BinaryKind kind, const Ints& a, const Ints& b) {
  return of_ints(Binary{kind}, {a, b}).ints();
}

TEST(Evaluate, ListsWhatIsNotZeroOfManyElements) {
  std::vector<float> mask(300'000, 0.f);
  Ints wanted;
  for (std::int64_t i = 0; i < 300'000; i += 3) {
    mask[static_cast<std::size_t>(i)] = 1;
    wanted.push_back(i);
  }
  EXPECT_EQ(of_floats(NonZero{}, {mask}).ints(), wanted);
}

TEST(Evaluate, IntegerArithmetic) {
  const Ints a{7, -7, 7, -7};
  const Ints b{2, 2, -2, -2};
  EXPECT_EQ(binary(BinaryKind::add, a, b), (Ints{9, -5, 5, -9}));
  EXPECT_EQ(binary(BinaryKind::sub, a, b), (Ints{5, -9, 9, -5}));
  EXPECT_EQ(binary(BinaryKind::mul, a, b), (Ints{14, -14, -14, 14}));
  EXPECT_EQ(binary(BinaryKind::div, a, b), (Ints{3, -3, -3, 3}));
  EXPECT_EQ(binary(BinaryKind::mod, a, b), (Ints{1, 1, -1, -1}));
  EXPECT_EQ(binary(BinaryKind::max, a, b), (Ints{7, 2, 7, -2}));
  EXPECT_EQ(binary(BinaryKind::min, a, b), (Ints{2, -7, -2, -7}));
  EXPECT_EQ(binary(BinaryKind::pow, {2, -3, 5, 0}, {10, 3, 0, 0}), (Ints{1024, -27, 1, 1}));
  EXPECT_EQ(binary(BinaryKind::pow, {-2}, {63}), Ints{INT64_MIN});
  EXPECT_EQ(binary(BinaryKind::less, {1, 2, 3}, {2}), (Ints{1, 0, 0}));
  EXPECT_EQ(binary(BinaryKind::less_or_equal, {1, 2, 3}, {2}), (Ints{1, 1, 0}));
  EXPECT_EQ(binary(BinaryKind::greater, {1, 2, 3}, {2}), (Ints{0, 0, 1}));
  EXPECT_EQ(binary(BinaryKind::greater_or_equal, {1, 2, 3}, {2}), (Ints{0, 1, 1}));
  EXPECT_EQ(binary(BinaryKind::equal, {1, 2, 3}, {2}), (Ints{0, 1, 0}));
}

TEST(Evaluate, IntegersThatDoNotFitAreRefused) {
  const auto refused = [](BinaryKind kind, std::int64_t a, std::int64_t b, const char* phrase) {
    expect_error([=] { binary(kind, {a}, {b}); }, kBad, phrase);
    expect_error([=] { binary(kind, {a}, {b}); }, kBad, "(node y, op ");
  };
  refused(BinaryKind::add, INT64_MAX, 1, "overflows");
  refused(BinaryKind::sub, INT64_MIN, 1, "overflows");
  refused(BinaryKind::mul, INT64_MAX, 2, "overflows");
  refused(BinaryKind::div, 1, 0, "divided by zero");
  refused(BinaryKind::div, INT64_MIN, -1, "overflows");
  refused(BinaryKind::mod, 1, 0, "divided by zero");
  refused(BinaryKind::pow, 2, 63, "overflows");
  refused(BinaryKind::pow, 2, -1, "negative exponent");
  EXPECT_EQ(binary(BinaryKind::mod, {INT64_MIN}, {-1}), Ints{0});
  expect_error([] { of_ints(Unary{UnaryKind::neg}, {{INT64_MIN}}); }, kBad, "overflows");
  expect_error([] { of_ints(Unary{UnaryKind::abs}, {{INT64_MIN}}); }, kBad, "overflows");
  expect_error(
      [] {
        of_ints(Reduce{.kind = ReduceKind::sum}, {{INT64_MAX, 1}});
      },
      kBad, "overflows");
  expect_error(
      [] {
        of_ints(Reduce{.kind = ReduceKind::prod}, {{INT64_MAX, 2}});
      },
      kBad, "overflows");
  for (const float factor : {1e30f, -1e30f, std::numeric_limits<float>::infinity()})
    expect_error(
        [&] {
          Builder b;
          const auto a = b.graph.add_constant("a", Constant::of_ints({1, 1}, {0}));
          b.op("y", Gemm{.alpha = factor}, {a, a});
          b.bound();
        },
        kBad, "does not fit into an integer");
}

TEST(Evaluate, UnaryIntegers) {
  EXPECT_EQ(of_ints(Unary{UnaryKind::neg}, {{1, -2, 0}}).ints(), (Ints{-1, 2, 0}));
  EXPECT_EQ(of_ints(Unary{UnaryKind::abs}, {{1, -2, 0}}).ints(), (Ints{1, 2, 0}));
  EXPECT_EQ(of_ints(Unary{UnaryKind::sign}, {{5, -2, 0}}).ints(), (Ints{1, -1, 0}));
  EXPECT_EQ(of_ints(Unary{UnaryKind::relu}, {{5, -2, 0}}).ints(), (Ints{5, 0, 0}));
  // Beyond 2^53: no float in between.
  EXPECT_EQ(of_ints(Unary{.kind = UnaryKind::clip, .bounds_are_inputs = true},
                    {{5, INT64_MAX, -9}, {0}, {INT64_MAX - 1}})
                .ints(),
            (Ints{5, INT64_MAX - 1, 0}));
}

TEST(Evaluate, Floats) {
  EXPECT_EQ(of_floats(Unary{UnaryKind::floor}, {{1.5f, -1.5f}}).floats(),
            (std::vector<float>{1, -2}));
  EXPECT_EQ(of_floats(Unary{UnaryKind::ceil}, {{1.5f, -1.5f}}).floats(),
            (std::vector<float>{2, -1}));
  EXPECT_EQ(of_floats(Unary{UnaryKind::round}, {{2.5f, 3.5f}}).floats(),
            (std::vector<float>{2, 4}));
  EXPECT_EQ(of_floats(Unary{UnaryKind::sqrt}, {{9, 2}}).floats(),
            (std::vector<float>{3, std::sqrt(2.0f)}));
  EXPECT_EQ(of_floats(Binary{BinaryKind::div}, {{1, -1}, {2}}).floats(),
            (std::vector<float>{0.5f, -0.5f}));
  EXPECT_EQ(of_floats(Binary{BinaryKind::less}, {{1, 3}, {2}}).ints(), (Ints{1, 0}));
  EXPECT_EQ(of_floats(Reduce{.kind = ReduceKind::mean, .keep_dims = false}, {{1, 2, 6}}).floats(),
            std::vector<float>{3});
  EXPECT_EQ(of_floats(Range{}, {{1}, {2.1f}, {0.5f}}).floats(), (std::vector<float>{1, 1.5f, 2}));
}

TEST(Evaluate, Casts) {
  EXPECT_EQ(of_floats(Cast{DType::i64}, {{1.9f, -1.9f, 3}}).ints(), (Ints{1, -1, 3}));
  EXPECT_EQ(of_floats(Cast{DType::boolean}, {{0.5f, 0, -0.0f}}).ints(), (Ints{1, 0, 0}));
  EXPECT_EQ(of_ints(Cast{DType::f32}, {{3, -4}}).floats(), (std::vector<float>{3, -4}));
  EXPECT_EQ(of_ints(Cast{DType::boolean}, {{3, 0}}).ints(), (Ints{1, 0}));
  EXPECT_EQ(of_floats(Cast{DType::i64}, {{-0x1p63f}}).ints(), Ints{INT64_MIN});
  for (const float v : {0x1p63f, -0x1.8p63f, std::numeric_limits<float>::infinity(),
                        std::numeric_limits<float>::quiet_NaN()})
    expect_error([v] { of_floats(Cast{DType::i64}, {{v}}); }, kBad, "does not fit into an integer");
}

TEST(Evaluate, BroadcastsAsNumpyDoes) {
  Builder b;
  const auto a = b.graph.add_constant("a", Constant::of_ints({2, 1, 2}, {1, 2, 3, 4}));
  const auto c = b.graph.add_constant("c", Constant::of_ints({3, 1}, {10, 20, 30}));
  const auto y = b.binary("y", BinaryKind::add, a, c);
  b.bound();
  EXPECT_TRUE(has_shape(b.graph, y, {2, 3, 2}));
  EXPECT_EQ(ints_of(b.graph, y), (Ints{11, 12, 21, 22, 31, 32, 13, 14, 23, 24, 33, 34}));
}

TEST(Evaluate, WhereChooses) {
  Builder b;
  const auto condition = b.booleans("c", {2, 1}, {1, 0});
  const auto y = b.op("y", Where{}, {condition, b.ints("a", {1, 2, 3}), b.ints("b", {-1})});
  const auto z = b.op("z", Where{}, {condition, b.floats("f", {1}, {5}), b.floats("g", {}, {7})});
  b.bound();
  EXPECT_EQ(ints_of(b.graph, y), (Ints{1, 2, 3, -1, -1, -1}));
  EXPECT_EQ(floats_of(b.graph, z), (std::vector<float>{5, 7}));
}

TEST(Evaluate, Logic) {
  Builder b;
  const auto p = b.booleans("p", {4}, {0, 0, 1, 1});
  const auto q = b.booleans("q", {4}, {0, 1, 0, 1});
  const auto both = b.binary("both", BinaryKind::logical_and, p, q);
  const auto any = b.binary("any", BinaryKind::logical_or, p, q);
  const auto one = b.binary("one", BinaryKind::logical_xor, p, q);
  const auto no = b.unary("no", UnaryKind::logical_not, p);
  b.bound();
  EXPECT_EQ(ints_of(b.graph, both), (Ints{0, 0, 0, 1}));
  EXPECT_EQ(ints_of(b.graph, any), (Ints{0, 1, 1, 1}));
  EXPECT_EQ(ints_of(b.graph, one), (Ints{0, 1, 1, 0}));
  EXPECT_EQ(ints_of(b.graph, no), (Ints{1, 1, 0, 0}));
  EXPECT_EQ(b.value(no).type, DType::boolean);
}

/// 0, 1, 2 ... of a shape.
ValueId counting(Builder& b, const std::string& name, const Shape& shape) {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  std::vector<std::int64_t> data(static_cast<std::size_t>(n));
  std::iota(data.begin(), data.end(), 0);
  return b.graph.add_constant(name, Constant::of_ints(shape, std::move(data)));
}

TEST(Evaluate, Movement) {
  Builder b;
  const auto x = counting(b, "x", {2, 3});
  const auto transposed = b.op("transposed", Transpose{}, {x});
  const auto tiled = b.op("tiled", Tile{Ints{2, 2}}, {x});
  const auto expanded = b.op("expanded", Expand{Ints{2, 1, 3}}, {b.ints("row", {7, 8, 9})});
  const auto rows = b.op("rows", Gather{0}, {x, b.ints("i", {-1, 0, 1})});
  const auto columns = b.op("columns", Gather{1}, {x, b.ints("j", {2, 0})});
  const auto joined = b.op("joined", Concat{1}, {x, columns});
  const auto parts = b.ops("parts", Split{1, Ints{1, 2}}, {x}, {"left", "right"});
  const auto back =
      b.op("back", Slice{Ints{-1, 0}, Ints{INT64_MIN, INT64_MAX}, {}, Ints{-1, 2}}, {x});
  const auto shaped = b.op("shaped", Reshape{ReshapeKind::reshape, Ints{3, 2}, false}, {x});
  b.bound();
  EXPECT_EQ(ints_of(b.graph, transposed), (Ints{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(ints_of(b.graph, tiled),
            (Ints{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5, 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}));
  EXPECT_EQ(ints_of(b.graph, expanded), (Ints{7, 8, 9, 7, 8, 9}));
  EXPECT_EQ(ints_of(b.graph, rows), (Ints{3, 4, 5, 0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(ints_of(b.graph, columns), (Ints{2, 0, 5, 3}));
  EXPECT_EQ(ints_of(b.graph, joined), (Ints{0, 1, 2, 2, 0, 3, 4, 5, 5, 3}));
  EXPECT_EQ(ints_of(b.graph, parts[0]), (Ints{0, 3}));
  EXPECT_EQ(ints_of(b.graph, parts[1]), (Ints{1, 2, 4, 5}));
  EXPECT_EQ(ints_of(b.graph, back), (Ints{3, 5, 0, 2}));
  EXPECT_EQ(ints_of(b.graph, shaped), (Ints{0, 1, 2, 3, 4, 5}));
  // A reshape looks at the same data.
  EXPECT_EQ(b.value(shaped).constant->ints.data(), b.value(x).constant->ints.data());
}

TEST(Evaluate, TransposeOfHigherRankMatchesALoop) {
  Builder b;
  const auto y = b.op("y", Transpose{{2, 0, 3, 1}}, {counting(b, "x", {2, 3, 4, 5})});
  b.bound();
  std::size_t next = 0;
  const auto got = ints_of(b.graph, y);
  for (int k = 0; k < 4; ++k)
    for (int i = 0; i < 2; ++i)
      for (int l = 0; l < 5; ++l)
        for (int j = 0; j < 3; ++j) ASSERT_EQ(got[next++], ((i * 3 + j) * 4 + k) * 5 + l);
}

TEST(Evaluate, Reductions) {
  const auto reduced = [](ReduceKind kind, Ints axes, bool keep) {
    Builder b;
    const auto y = b.op("y", Reduce{.kind = kind, .axes = std::move(axes), .keep_dims = keep},
                        {counting(b, "x", {2, 3})});
    b.bound();
    return std::pair(b.value(y).shape, ints_of(b.graph, y));
  };
  EXPECT_EQ(reduced(ReduceKind::sum, {1}, true), std::pair(Shape{2, 1}, Ints{3, 12}));
  EXPECT_EQ(reduced(ReduceKind::sum, {0}, false), std::pair(Shape{3}, Ints{3, 5, 7}));
  EXPECT_EQ(reduced(ReduceKind::prod, {1}, false), std::pair(Shape{2}, Ints{0, 60}));
  EXPECT_EQ(reduced(ReduceKind::max, {0, 1}, false), std::pair(Shape{}, Ints{5}));
  EXPECT_EQ(reduced(ReduceKind::min, {0}, false), std::pair(Shape{3}, Ints{0, 1, 2}));
  EXPECT_EQ(reduced(ReduceKind::mean, {1}, false), std::pair(Shape{2}, Ints{1, 4}));
}

TEST(Evaluate, PoolsOfIntegersHaveABound) {
  const auto bind = [](std::int64_t kernel) {
    Builder b;
    const auto x = b.graph.add_constant("x", Constant::of_ints({1, 1, 1, 8192}, Ints(8192, 7)));
    const auto y = b.op("y", Pool{.window = {.kernel = {1, kernel}, .strides = {1, 1}}}, {x});
    b.bound();
    return ints_of(b.graph, y).size();
  };
  EXPECT_EQ(bind(512), 8192U - 511);
  expect_error([&] { bind(4096); }, ErrorCode::unsupported, "a pool of so many integers");
}

TEST(Evaluate, WhatPyTorchWritesForAdaptivePooling) {
  // Shape -> Slice -> Cast -> Div -> Floor -> Cast -> Concat -> Reshape, as in real exports.
  Builder b;
  const auto x = b.input("x", {-1, 6, -1, -1});
  const auto shape = b.op("shape", ShapeOf{}, {x});
  const auto hw = b.op("hw", Slice{}, {shape, b.ints("two", {2}), b.ints("four", {4})});
  const auto as_float = b.op("as_float", Cast{DType::f32}, {hw});
  const auto half = b.binary("half", BinaryKind::div, as_float, b.scalar("c", 2));
  const auto floored = b.unary("floored", UnaryKind::floor, half);
  const auto ints = b.op("ints", Cast{DType::i64}, {floored});
  const auto nc = b.op("nc", Slice{}, {shape, b.ints("zero", {0}), b.ints("end", {2})});
  const auto target = b.op("target", Concat{0}, {nc, ints});
  const auto y = b.op("y", Resize{}, {x, {}, {}, target});
  b.bound(3, {{"x", {-1, -1, 9, 12}}});
  EXPECT_TRUE(has_shape(b.graph, y, {3, 6, 4, 6}));
}

TEST(Evaluate, LeavesLargeFloatWorkToTheEngine) {
  Builder b;
  const auto x = b.weights("x", {300, 300});
  const auto scaled = b.binary("scaled", BinaryKind::mul, x, b.scalar("c", 2));
  const auto viewed = b.op("viewed", Reshape{ReshapeKind::reshape, Ints{-1}, false}, {x});
  const auto turned = b.op("turned", Transpose{}, {x});
  b.bound();
  EXPECT_FALSE(b.value(scaled).constant);
  EXPECT_TRUE(b.value(viewed).constant);
  EXPECT_EQ(floats_of(b.graph, turned)[1], floats_of(b.graph, x)[300]);
}

TEST(Evaluate, ASmallFileDoesNotGrowWithoutBound) {
  Builder b;
  const auto x = b.input("x", {1});
  std::vector<ValueId> filled;
  for (int i = 0; i < 200; ++i)
    filled.push_back(b.op("c" + std::to_string(i), ConstantOfShape{DType::i64, 1},
                          {b.ints("s" + std::to_string(i), {65536})}));
  b.output(b.unary("y", UnaryKind::relu, x));
  b.bound();
  std::int64_t elements = 0;
  for (const auto id : filled)
    if (b.value(id).constant) elements += 65536;
  EXPECT_GT(elements, 0);
  EXPECT_LT(elements, 5 << 20);
}

TEST(Evaluate, LeavesComputedValuesAlone) {
  Builder b;
  const auto y = b.binary("y", BinaryKind::add, b.input("x", {1}), b.scalar("c", 1));
  b.bound();
  EXPECT_FALSE(b.value(y).constant);
}

}  // namespace
}  // namespace fovea::graph::test
