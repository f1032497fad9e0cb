#include <algorithm>

#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

/// The one output of an op over inputs of these shapes.
Shape shape_of(const Op& op, const std::vector<Shape>& inputs) {
  Builder b;
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    ids.push_back(b.input("x" + std::to_string(i), inputs[i]));
  const auto y = b.op("y", op, ids);
  return b.bound().value(y).shape;
}

Shape reshaped(const Shape& x, const Ints& spec, bool allow_zero = false) {
  return shape_of(Reshape{ReshapeKind::reshape, spec, allow_zero}, {x});
}

TEST(ShapeOps, Reshape) {
  EXPECT_EQ(reshaped({2, 3, 4}, {-1, 4}), (Shape{6, 4}));
  EXPECT_EQ(reshaped({2, 3, 4}, {0, -1}), (Shape{2, 12}));
  EXPECT_EQ(reshaped({2, 3, 4}, {4, 3, 2}), (Shape{4, 3, 2}));
  EXPECT_EQ(reshaped({1, 1}, {}), Shape{});
  EXPECT_EQ(reshaped({2, 3, 4}, {0, 0, 0}), (Shape{2, 3, 4}));
}

TEST(ShapeOps, ReshapeOfNothing) {
  Builder b;
  const auto x = b.floats("x", {0, 3}, {});
  const auto y = b.op("y", Reshape{ReshapeKind::reshape, Ints{3, 0}, true}, {x});
  const auto z = b.op("z", Reshape{ReshapeKind::reshape, Ints{0, 5}, true}, {x});
  b.bound();
  EXPECT_TRUE(has_shape(b.graph, y, {3, 0}));
  EXPECT_TRUE(has_shape(b.graph, z, {0, 5}));
}

TEST(ShapeOps, FlattenSqueezeUnsqueeze) {
  const auto flat = [](std::optional<Ints> axis) {
    return Reshape{ReshapeKind::flatten, axis, false};
  };
  EXPECT_EQ(shape_of(flat(std::nullopt), {{2, 3, 4}}), (Shape{2, 12}));
  EXPECT_EQ(shape_of(flat(Ints{0}), {{2, 3, 4}}), (Shape{1, 24}));
  EXPECT_EQ(shape_of(flat(Ints{3}), {{2, 3, 4}}), (Shape{24, 1}));
  EXPECT_EQ(shape_of(flat(Ints{-1}), {{2, 3, 4}}), (Shape{6, 4}));
  const auto squeeze = [](std::optional<Ints> axes) {
    return Reshape{ReshapeKind::squeeze, axes, false};
  };
  EXPECT_EQ(shape_of(squeeze(std::nullopt), {{1, 3, 1, 4}}), (Shape{3, 4}));
  EXPECT_EQ(shape_of(squeeze(Ints{-2}), {{1, 3, 1, 4}}), (Shape{1, 3, 4}));
  const auto unsqueeze = [](const Ints& axes) {
    return Reshape{ReshapeKind::unsqueeze, axes, false};
  };
  EXPECT_EQ(shape_of(unsqueeze({-1, 0}), {{3, 4}}), (Shape{1, 3, 4, 1}));
  EXPECT_EQ(shape_of(unsqueeze({2, 1}), {{3, 4}}), (Shape{3, 1, 1, 4}));
}

TEST(ShapeOps, TransposeExpandTile) {
  EXPECT_EQ(shape_of(Transpose{}, {{2, 3, 4}}), (Shape{4, 3, 2}));
  EXPECT_EQ(shape_of(Transpose{{1, 2, 0}}, {{2, 3, 4}}), (Shape{3, 4, 2}));
  EXPECT_EQ(shape_of(Expand{Ints{2, 1, 6}}, {{3, 1}}), (Shape{2, 3, 6}));
  EXPECT_EQ(shape_of(Expand{Ints{1, 1}}, {{3, 4}}), (Shape{3, 4}));
  EXPECT_EQ(shape_of(Tile{Ints{2, 3}}, {{3, 4}}), (Shape{6, 12}));
  EXPECT_EQ(shape_of(Tile{Ints{0, 3}}, {{3, 4}}), (Shape{0, 12}));
}

TEST(ShapeOps, ConcatAndSplit) {
  EXPECT_EQ(shape_of(Concat{-1}, {{2, 3}, {2, 4}}), (Shape{2, 7}));
  const auto parts = [](std::int64_t extent, std::size_t count, std::optional<Ints> sizes) {
    Builder b;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back("y" + std::to_string(i));
    const auto outputs = b.ops("y", Split{1, std::move(sizes)}, {b.input("x", {2, extent})}, names);
    b.bound();
    Ints out;
    for (const auto id : outputs) out.push_back(b.value(id).shape[1]);
    return out;
  };
  EXPECT_EQ(parts(6, 3, std::nullopt), (Ints{2, 2, 2}));
  EXPECT_EQ(parts(7, 3, std::nullopt), (Ints{3, 3, 1}));
  EXPECT_EQ(parts(7, 2, Ints{5, 2}), (Ints{5, 2}));
  EXPECT_EQ(parts(7, 2, Ints{7, 0}), (Ints{7, 0}));
}

/// Slicing one element at a time: Python's, but for a start before a backward slice, which ONNX
/// clamps to element 0.
std::vector<std::int64_t> slow_slice(std::int64_t extent, std::int64_t start, std::int64_t end,
                                     std::int64_t step) {
  __extension__ typedef __int128 Wide;
  const auto clamp = [](Wide v, Wide low, Wide high) { return std::min(std::max(v, low), high); };
  Wide from = start < 0 ? static_cast<Wide>(start) + extent : start;
  Wide to = end < 0 ? static_cast<Wide>(end) + extent : end;
  const Wide low = step > 0 ? 0 : -1;
  const Wide high = step > 0 ? extent : extent - 1;
  from = clamp(from, 0, high);
  to = clamp(to, low, high);
  std::vector<std::int64_t> out;
  for (Wide i = from; step > 0 ? i < to : i > to; i += step)
    out.push_back(static_cast<std::int64_t>(i));
  return out;
}

TEST(ShapeOps, SliceMatchesALoop) {
  const std::int64_t edges[] = {INT64_MIN, -9, -6, -5, -4, -1, 0, 1, 3, 4, 5, 6, 9, INT64_MAX};
  const std::int64_t steps[] = {INT64_MIN, -6, -2, -1, 1, 2, 3, 6, INT64_MAX};
  for (const std::int64_t extent : {0, 1, 5})
    for (const auto start : edges)
      for (const auto end : edges)
        for (const auto step : steps) {
          Builder b;
          std::vector<std::int64_t> numbers;
          for (std::int64_t i = 0; i < extent; ++i) numbers.push_back(i);
          const auto y =
              b.op("y", Slice{},
                   {b.ints("x", numbers), b.ints("starts", {start}), b.ints("ends", {end}),
                    b.ints("axes", {-1}), b.ints("steps", {step})});
          b.bound();
          ASSERT_EQ(ints_of(b.graph, y), slow_slice(extent, start, end, step))
              << extent << " [" << start << ":" << end << ":" << step << "]";
        }
}

TEST(ShapeOps, SliceIsFinal) {
  Builder b;
  b.op("y", Slice{Ints{-3, 1}, Ints{INT64_MAX, -1}, std::nullopt, std::nullopt},
       {b.input("x", {5, 6, 7})});
  b.bound();
  const auto& slice = std::get<Slice>(b.graph.nodes()[0].op);
  EXPECT_EQ(*slice.starts, (Ints{2, 1}));
  EXPECT_EQ(*slice.ends, (Ints{5, 5}));
  EXPECT_EQ(*slice.axes, (Ints{0, 1}));
  EXPECT_EQ(*slice.steps, (Ints{1, 1}));
  EXPECT_TRUE(has_shape(b.graph, b.graph.outputs[0], {3, 4, 7}));
}

TEST(ShapeOps, Pad) {
  const auto pad = [](PadMode mode, const Ints& pads) { return Pad{mode, pads, std::nullopt}; };
  EXPECT_EQ(shape_of(pad(PadMode::constant, {0, 1, 2, 3}), {{4, 5}}), (Shape{6, 9}));
  EXPECT_EQ(shape_of(pad(PadMode::constant, {-1, 0, 2, -4}), {{4, 5}}), (Shape{5, 1}));
  EXPECT_EQ(shape_of(pad(PadMode::reflect, {3, 0, 3, 4}), {{4, 5}}), (Shape{10, 9}));
  EXPECT_EQ(shape_of(pad(PadMode::edge, {9, 0, 0, 0}), {{4, 5}}), (Shape{13, 5}));
}

TEST(ShapeOps, PadReadsItsInputs) {
  Builder b;
  b.op("y", Pad{},
       {b.input("x", {1, 2, 5, 5}), b.ints("pads", {1, 2, 3, 4}), b.scalar("value", -1.5f),
        b.ints("axes", {-1, 2})});
  b.bound();
  const auto& pad = std::get<Pad>(b.graph.nodes()[0].op);
  EXPECT_EQ(*pad.pads, (Ints{0, 0, 2, 1, 0, 0, 4, 3}));
  EXPECT_EQ(*pad.value, -1.5f);
  EXPECT_EQ(b.graph.nodes()[0].inputs.size(), 1u);
  EXPECT_TRUE(has_shape(b.graph, b.graph.outputs[0], {1, 2, 11, 9}));
}

TEST(ShapeOps, GatherAndScatter) {
  Builder b;
  const auto x = b.input("x", {3, 4, 5});
  const auto idx = b.graph.add_constant("i", Constant::of_ints({2, 2}, {0, -3, 2, 1}));
  const auto gather = b.op("gather", Gather{0}, {x, idx});
  const auto scalar = b.op("scalar", Gather{-1}, {x, b.int_scalar("j", -5)});
  const auto nd = b.op("nd", GatherND{}, {x, idx});
  const auto batched = b.op("batched", GatherND{1},
                            {x, b.graph.add_constant("k", Constant::of_ints({3, 1}, {0, 3, -4}))});
  const auto scatter = b.op("scatter", ScatterND{}, {x, idx, b.input("u", {2, 5})});
  b.bound();
  EXPECT_TRUE(has_shape(b.graph, gather, {2, 2, 4, 5}));
  EXPECT_TRUE(has_shape(b.graph, scalar, {3, 4}));
  EXPECT_TRUE(has_shape(b.graph, nd, {2, 5}));
  EXPECT_TRUE(has_shape(b.graph, batched, {3, 5}));
  EXPECT_TRUE(has_shape(b.graph, scatter, {3, 4, 5}));
}

TEST(ShapeOps, DepthAndSpace) {
  EXPECT_EQ(shape_of(DepthToSpace{2}, {{1, 8, 3, 5}}), (Shape{1, 2, 6, 10}));
  EXPECT_EQ(shape_of(SpaceToDepth{2}, {{1, 2, 6, 10}}), (Shape{1, 8, 3, 5}));
}

TEST(ShapeOps, ConstantOfShapeRangeShapeSize) {
  Builder b;
  const auto x = b.input("x", {-1, 3, 7});
  const auto filled = b.op("filled", ConstantOfShape{DType::i64, 4}, {b.ints("s", {2, 2})});
  const auto range =
      b.op("range", Range{}, {b.int_scalar("a", 10), b.int_scalar("b", 3), b.int_scalar("c", -3)});
  const auto shape = b.op("shape", ShapeOf{-2, std::nullopt}, {x});
  const auto front = b.op("front", ShapeOf{0, -1}, {x});
  const auto none = b.op("none", ShapeOf{2, 1}, {x});
  const auto size = b.op("size", SizeOf{}, {x});
  b.bound(2);
  EXPECT_EQ(ints_of(b.graph, filled), (Ints{4, 4, 4, 4}));
  EXPECT_EQ(ints_of(b.graph, range), (Ints{10, 7, 4}));
  EXPECT_EQ(ints_of(b.graph, shape), (Ints{3, 7}));
  EXPECT_EQ(ints_of(b.graph, front), (Ints{2, 3}));
  EXPECT_EQ(ints_of(b.graph, none), Ints{});
  EXPECT_EQ(ints_of(b.graph, size), Ints{42});
  EXPECT_TRUE(has_shape(b.graph, size, {}));
}

}  // namespace
}  // namespace fovea::graph::test
