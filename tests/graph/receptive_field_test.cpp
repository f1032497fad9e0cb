#include "graph/query/receptive_field.hpp"

#include "graph/interpret.hpp"
#include "graph/support.hpp"

/// What a place of a value sees of the values in front of it.
namespace fovea::graph::test {
namespace {

struct Net : Builder {
  ValueId conv(const std::string& name, ValueId x, std::int64_t in, std::int64_t filters,
               std::int64_t kernel = 3, std::int64_t stride = 1) {
    const auto pad = kernel / 2;
    return op(name,
              Conv{.window = {.strides = {stride, stride},
                              .pads_begin = {pad, pad},
                              .pads_end = {pad, pad}}},
              {x, weights(name + "/w", {filters, in, kernel, kernel})});
  }
  /// What the element sees of `layer`.
  Box seen(ValueId of, const Shape& place, ValueId layer) {
    const auto all = receptive_fields(without_weights(bound()), {{of, element(place)}});
    return all[static_cast<std::size_t>(layer.index)].value_or(Box{});
  }
};

/// By changing every element of x by itself.
Box found(const Graph& graph, ValueId x, ValueId of, std::size_t at) {
  Doubles values(static_cast<std::size_t>([&] {
    std::int64_t count = 1;
    for (const auto extent : graph.value(x).shape) count *= extent;
    return count;
  }()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = 0.1 * static_cast<double>(i * 37 % 101) - 5;
  const auto before = interpret(graph, {{x, values}}).at(of)[at];
  std::optional<Box> out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto changed = values;
    changed[i] += 20;
    if (interpret(graph, {{x, changed}}).at(of)[at] == before) continue;
    Shape place(graph.value(x).shape.size());
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t d = place.size(); d-- > 0; rest /= graph.value(x).shape[d])
      place[d] = rest % graph.value(x).shape[d];
    out = out ? hull(*out, element(place)) : element(place);
  }
  return out.value_or(Box{});
}

TEST(ReceptiveField, OfConvolutionsAndPoolsIsWhatChangesThem) {
  for (const Shape& place : {Shape{0, 1, 0, 0}, Shape{0, 1, 2, 1}, Shape{0, 0, 3, 2}}) {
    Net n;
    const auto x = n.input("x", {1, 2, 16, 12});
    const auto a = n.conv("a", x, 2, 3, 3, 2);  // 8 x 6
    const auto b =
        n.op("pool",
             Pool{.kind = PoolKind::average, .window = {.kernel = {2, 2}, .strides = {2, 2}}}, {a});
    const auto c = n.conv("c", b, 3, 2, 3);  // 4 x 3
    n.output(c);
    const auto& graph = n.bound();
    const auto at = static_cast<std::size_t>((place[1] * 4 + place[2]) * 3 + place[3]);
    EXPECT_EQ(n.seen(c, place, x), found(graph, x, c, at)) << testing::PrintToString(place);
  }
}

/// A row of all cells in one extent is one cell, whatever it went through.
TEST(ReceptiveField, OfARowIsThatOfItsCell) {
  Net n;
  const auto x = n.input("x", {1, 2, 6, 7});
  const auto scores = n.conv("scores", n.conv("tower", x, 2, 3), 3, 5, 1);
  const auto flat = n.op("flat", Reshape{}, {scores, n.ints("shape", {1, 5, 42})});
  const auto rows = n.op("rows", Transpose{{0, 2, 1}}, {flat});
  const auto both = n.op("both", Concat{1}, {n.op("mirror", Unary{}, {rows}), rows});
  EXPECT_EQ(n.seen(both, {0, 42 + 3 * 7 + 4, 2}, scores), (Box{{0, 1}, {2, 3}, {3, 4}, {4, 5}}));
  Net m;
  const auto y = m.input("x", {1, 2, 6, 7});
  const auto again = m.conv("scores", m.conv("tower", y, 2, 3), 3, 5, 1);
  const auto all = m.op("flat", Reshape{}, {again, m.ints("shape", {1, 5, 42})});
  EXPECT_EQ(m.seen(all, {0, 2, 3 * 7 + 4}, y), (Box{{0, 1}, {0, 2}, {2, 5}, {3, 6}}));
}

/// Twice as high: elements 2 k and 2 k + 1 lie around element k.
TEST(ReceptiveField, OfAResizeIsWhatItsPlaceIsMadeOf) {
  const auto seen = [](ResizeMode mode, std::int64_t at) {
    Net n;
    const auto x = n.input("x", {1, 1, 4, 3});
    const auto y = n.op("y", Resize{.mode = mode, .scales = std::vector<float>{1, 1, 2, 1}}, {x});
    return n.seen(y, {0, 0, at, 1}, x).at(2);
  };
  using Mode = ResizeMode;
  EXPECT_EQ(seen(Mode::nearest, 3), (AxisRange{1, 2}));
  EXPECT_EQ(seen(Mode::nearest, 7), (AxisRange{3, 4}));
  EXPECT_EQ(seen(Mode::linear, 0), (AxisRange{0, 1}));
  EXPECT_EQ(seen(Mode::linear, 3), (AxisRange{1, 3}));
  EXPECT_EQ(seen(Mode::linear, 4), (AxisRange{1, 3}));
  EXPECT_EQ(seen(Mode::linear, 7), (AxisRange{3, 4}));
  EXPECT_EQ(seen(Mode::cubic, 3), (AxisRange{0, 4}));
}

/// What nobody knows sees everything; what a path does not reach is seen by nothing.
TEST(ReceptiveField, OfAMeanIsEverything) {
  Net n;
  const auto x = n.input("x", {1, 2, 6, 7}), other = n.input("other", {1, 2});
  const auto mean = n.op("mean", Reduce{.axes = Ints{2, 3}, .keep_dims = false}, {x});
  const auto sum = n.binary("sum", BinaryKind::add, mean, other);
  EXPECT_EQ(n.seen(sum, {0, 1}, x), (Box{{0, 1}, {1, 2}, {0, 6}, {0, 7}}));
  EXPECT_EQ(n.seen(mean, {0, 1}, other), Box{});
}

TEST(ReceptiveField, OfTokensLiesOnTheirGrid) {
  const Grid grid{.extents = {3, 4}, .prefix = 1, .images = 0, .channels = {2}};
  const Shape shape{1, 13, 8};
  EXPECT_EQ(on_grid(element({0, 1 + 6, 0}), shape, grid), (Box{{1, 2}, {2, 3}}));
  EXPECT_EQ(on_grid({{0, 1}, {1 + 4, 1 + 8}, {0, 8}}, shape, grid), (Box{{1, 2}, {0, 4}}));
  EXPECT_EQ(on_grid(whole(shape), shape, grid), (Box{{0, 3}, {0, 4}}));
  EXPECT_EQ(on_grid(element({0, 0, 0}), shape, grid), Box(2));
}

}  // namespace
}  // namespace fovea::graph::test
