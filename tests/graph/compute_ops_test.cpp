#include <cmath>
#include <limits>

#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

Shape shape_of(const Op& op, const std::vector<Shape>& inputs) {
  Builder b;
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    ids.push_back(b.input("x" + std::to_string(i), inputs[i]));
  const auto y = b.op("y", op, ids);
  return b.bound().value(y).shape;
}

TEST(ComputeOps, BinaryBroadcasts) {
  const Binary add{BinaryKind::add};
  EXPECT_EQ(shape_of(add, {{2, 1, 4}, {3, 1}}), (Shape{2, 3, 4}));
  EXPECT_EQ(shape_of(add, {{5}, {}}), Shape{5});
  EXPECT_EQ(shape_of(add, {{1, 3}, {2, 1}}), (Shape{2, 3}));
}

TEST(ComputeOps, TypesOfComparisonsAndLogic) {
  Builder b;
  const auto x = b.input("x", {2, 1});
  const auto less = b.binary("less", BinaryKind::less, x, b.scalar("c", 0));
  const auto both = b.binary("both", BinaryKind::logical_and, less, less);
  const auto none = b.unary("none", UnaryKind::logical_not, both);
  const auto chosen = b.op("chosen", Where{}, {none, x, b.weights("w", {3})});
  const auto cast = b.op("cast", Cast{DType::i64}, {chosen});
  b.bound();
  EXPECT_EQ(b.value(none).type, DType::boolean);
  EXPECT_EQ(b.value(chosen).type, DType::f32);
  EXPECT_TRUE(has_shape(b.graph, chosen, {2, 3}));
  EXPECT_EQ(b.value(cast).type, DType::i64);
}

TEST(ComputeOps, ClipReadsItsBounds) {
  Builder b;
  const auto x = b.input("x", {2});
  b.op("both", Unary{.kind = UnaryKind::clip, .bounds_are_inputs = true},
       {x, b.scalar("low", 0), b.scalar("high", 6)});
  b.op("upper", Unary{.kind = UnaryKind::clip, .bounds_are_inputs = true},
       {x, {}, b.floats("one", {1}, {1})});
  b.bound();
  const auto& both = std::get<Unary>(b.graph.nodes()[0].op);
  EXPECT_EQ(both.alpha, 0);
  EXPECT_EQ(both.beta, 6);
  EXPECT_FALSE(both.bounds_are_inputs);
  EXPECT_EQ(b.graph.nodes()[0].inputs.size(), 1u);
  const auto& upper = std::get<Unary>(b.graph.nodes()[1].op);
  EXPECT_EQ(upper.alpha, std::numeric_limits<float>::lowest());
  EXPECT_EQ(upper.beta, 1);
}

TEST(ComputeOps, ClipOfIntegersReadsItsBounds) {
  Builder b;
  const auto x = b.op("i", Cast{DType::i64}, {b.input("x", {2})});
  b.op("y", Unary{.kind = UnaryKind::clip, .bounds_are_inputs = true},
       {x, b.ints("low", {-3}), b.ints("high", {std::numeric_limits<std::int64_t>::max()})});
  b.bound();
  const auto& clip = std::get<Unary>(b.graph.nodes()[1].op);
  EXPECT_EQ(clip.alpha, -3);
  EXPECT_EQ(clip.beta, 0x1p63f);
  EXPECT_FALSE(clip.bounds_are_inputs);
  EXPECT_EQ(b.graph.nodes()[1].inputs.size(), 1u);
  EXPECT_NO_THROW(verify(b.graph, "bind"));
}

TEST(ComputeOps, MatrixProducts) {
  EXPECT_EQ(shape_of(Gemm{}, {{2, 3}, {3, 4}, {1, 4}}), (Shape{2, 4}));
  EXPECT_EQ(shape_of(Gemm{.trans_a = true, .trans_b = true}, {{3, 2}, {4, 3}, {}}), (Shape{2, 4}));
  EXPECT_EQ(shape_of(MatMul{}, {{5, 1, 2, 3}, {7, 3, 4}}), (Shape{5, 7, 2, 4}));
  EXPECT_EQ(shape_of(MatMul{}, {{3}, {3, 4}}), Shape{4});
  EXPECT_EQ(shape_of(MatMul{}, {{6, 2, 3}, {3}}), (Shape{6, 2}));
  EXPECT_EQ(shape_of(MatMul{}, {{3}, {3}}), Shape{});
}

TEST(ComputeOps, EinsumIsMadeExplicit) {
  const auto resolved = [](const std::string& equation, const std::vector<Shape>& inputs) {
    Builder b;
    std::vector<ValueId> ids;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      ids.push_back(b.input("x" + std::to_string(i), inputs[i]));
    const auto y = b.op("y", Einsum{equation}, ids);
    b.bound();
    return std::pair(std::get<Einsum>(b.graph.nodes()[0].op).equation, b.value(y).shape);
  };
  EXPECT_EQ(resolved("bhid, bhjd -> bhij", {{2, 3, 4, 5}, {2, 3, 6, 5}}),
            std::pair(std::string("bhid,bhjd->bhij"), Shape{2, 3, 4, 6}));
  EXPECT_EQ(resolved("ij,jk", {{2, 3}, {3, 4}}), std::pair(std::string("ij,jk->ik"), Shape{2, 4}));
  EXPECT_EQ(resolved("ba", {{2, 3}}), std::pair(std::string("ba->ab"), Shape{3, 2}));
  EXPECT_EQ(resolved("...ij,...jk->...ik", {{7, 2, 3}, {7, 3, 4}}),
            std::pair(std::string("Aij,Ajk->Aik"), Shape{7, 2, 4}));
  EXPECT_EQ(resolved("...i,i", {{5, 6, 3}, {3}}), std::pair(std::string("ABi,i->AB"), Shape{5, 6}));
  // As numpy has it: shapes line up from the last dimension on, and an extent of 1 is repeated.
  EXPECT_EQ(resolved("...i,...i->...", {{4, 2, 3}, {2, 3}}),
            std::pair(std::string("ABi,Bi->AB"), Shape{4, 2}));
  EXPECT_EQ(resolved("a...b,b...->a...", {{2, 5, 3}, {3, 1}}),
            std::pair(std::string("aAb,bA->aA"), Shape{2, 5}));
  EXPECT_EQ(resolved("...i->i", {{3}}), std::pair(std::string("i->i"), Shape{3}));
  EXPECT_EQ(resolved("ij,jk->ik", {{2, 1}, {5, 3}}),
            std::pair(std::string("ij,jk->ik"), Shape{2, 3}));
  EXPECT_EQ(resolved("ii,ij->j", {{1, 1}, {3, 4}}), std::pair(std::string("ii,ij->j"), Shape{4}));
  EXPECT_EQ(resolved("aB", {{2, 3}}), std::pair(std::string("aB->Ba"), Shape{3, 2}));
  EXPECT_EQ(resolved("iij", {{3, 3, 2}}), std::pair(std::string("iij->j"), Shape{2}));
  EXPECT_EQ(resolved("bchw->bc", {{2, 3, 4, 5}}), std::pair(std::string("bchw->bc"), Shape{2, 3}));
  EXPECT_EQ(resolved(",", {{}, {}}), std::pair(std::string(",->"), Shape{}));
}

TEST(ComputeOps, Norms) {
  EXPECT_EQ(shape_of(BatchNorm{}, {{2, 3, 4}, {3}, {3}, {3}, {3}}), (Shape{2, 3, 4}));
  EXPECT_EQ(shape_of(LayerNorm{-2}, {{2, 3, 4}, {3, 4}, {3, 4}}), (Shape{2, 3, 4}));
  EXPECT_EQ(shape_of(InstanceNorm{}, {{2, 3, 4}, {3}, {3}}), (Shape{2, 3, 4}));
  EXPECT_EQ(shape_of(GroupNorm{2}, {{2, 6, 4}, {2}, {2}}), (Shape{2, 6, 4}));
  EXPECT_EQ(shape_of(GroupNorm{2}, {{2, 6, 4}, {6}, {6}}), (Shape{2, 6, 4}));
  EXPECT_EQ(shape_of(Lrn{5}, {{2, 6, 4, 4}}), (Shape{2, 6, 4, 4}));
}

TEST(ComputeOps, OldSoftmaxIsOverOneAxisWhereItCanBe) {
  const auto resolved = [](const Shape& x, std::int64_t axis) {
    Builder b;
    b.op("y", Softmax{axis, false, true}, {b.input("x", x)});
    b.bound();
    const auto& op = std::get<Softmax>(b.graph.nodes()[0].op);
    return std::pair(op.axis, op.flatten);
  };
  EXPECT_EQ(resolved({1, 1000, 1, 1}, 1), std::pair(std::int64_t{1}, false));
  EXPECT_EQ(resolved({2, 1, 1, 10}, 1), std::pair(std::int64_t{3}, false));
  EXPECT_EQ(resolved({2, 3, 4}, 1), std::pair(std::int64_t{1}, true));
  EXPECT_EQ(resolved({2, 3, 4}, -1), std::pair(std::int64_t{2}, false));
}

TEST(ComputeOps, Reduce) {
  const auto mean = [](std::optional<Ints> axes, bool keep, bool noop = false) {
    return Reduce{.kind = ReduceKind::mean,
                  .axes = std::move(axes),
                  .keep_dims = keep,
                  .noop_with_empty_axes = noop};
  };
  EXPECT_EQ(shape_of(mean(Ints{-1, 1}, false), {{2, 3, 4}}), Shape{2});
  EXPECT_EQ(shape_of(mean(Ints{2}, true), {{2, 3, 4}}), (Shape{2, 3, 1}));
  EXPECT_EQ(shape_of(mean(std::nullopt, false), {{2, 3, 4}}), Shape{});
  EXPECT_EQ(shape_of(mean(std::nullopt, true), {{2, 3, 4}}), (Shape{1, 1, 1}));
  EXPECT_EQ(shape_of(mean(Ints{}, true, true), {{2, 3, 4}}), (Shape{2, 3, 4}));
  EXPECT_EQ(shape_of(Reduce{.spatial = true}, {{2, 3, 4, 5, 6}}), (Shape{2, 3, 1, 1, 1}));
}

TEST(ComputeOps, ReduceReadsItsAxes) {
  Builder b;
  b.op("y", Reduce{.keep_dims = false}, {b.input("x", {2, 3, 4}), b.ints("axes", {-1, -2})});
  b.bound();
  EXPECT_EQ(*std::get<Reduce>(b.graph.nodes()[0].op).axes, (Ints{1, 2}));
  EXPECT_TRUE(has_shape(b.graph, b.graph.outputs[0], {2}));
  EXPECT_EQ(b.graph.nodes()[0].inputs.size(), 1u);
}

const Resize& resize_of(const Graph& graph) {
  return std::get<Resize>(graph.nodes()[0].op);
}

TEST(ComputeOps, ResizeByScales) {
  Builder b;
  const auto y = b.op("y", Resize{.mode = ResizeMode::linear},
                      {b.input("x", {1, 2, 3, 5}), b.floats("roi", {0}, {}),
                       b.floats("scales", {4}, {1, 1, 5.0f / 3, 0.5f})});
  EXPECT_TRUE(has_shape(b.bound(), y, {1, 2, 5, 2}));
  // The factors stay as given: 0.5, though the extents are in the ratio 0.4.
  EXPECT_EQ(resize_of(b.graph).factors,
            (std::vector<ResizeFactor>{{1, 1}, {1, 1}, {5.0f / 3, 1}, {0.5f, 1}}));
  EXPECT_EQ(*resize_of(b.graph).sizes, (Ints{1, 2, 5, 2}));
}

TEST(ComputeOps, ResizeBySizes) {
  Builder b;
  const auto y = b.op("y", Resize{.axes = Ints{-2, 3}},
                      {b.input("x", {1, 2, 4, 5}), {}, {}, b.ints("sizes", {7, 10})});
  EXPECT_TRUE(has_shape(b.bound(), y, {1, 2, 7, 10}));
  EXPECT_EQ(resize_of(b.graph).factors,
            (std::vector<ResizeFactor>{{1, 1}, {1, 1}, {7, 4}, {10, 5}}));
}

TEST(ComputeOps, ResizeKeepsTheAspect) {
  for (const bool larger : {false, true}) {
    Builder b;
    const auto y = b.op("y",
                        Resize{.axes = Ints{2, 3},
                               .keep_aspect_not_larger = !larger,
                               .keep_aspect_not_smaller = larger},
                        {b.input("x", {1, 1, 2, 4}), {}, {}, b.ints("sizes", {7, 8})});
    EXPECT_TRUE(has_shape(b.bound(), y, larger ? Shape{1, 1, 7, 14} : Shape{1, 1, 4, 8}));
    EXPECT_EQ(resize_of(b.graph).factors[3], larger ? (ResizeFactor{7, 2}) : (ResizeFactor{8, 4}));
  }
}

TEST(ComputeOps, ResizeReadsItsRegion) {
  Builder b;
  const auto y =
      b.op("y", Resize{.coordinates = ResizeCoordinates::tf_crop_and_resize, .axes = Ints{3, 2}},
           {b.input("x", {1, 1, 4, 4}),
            b.floats("roi", {4}, {0.25f, 0.5f, 1, 2}),
            {},
            b.ints("sizes", {3, 4})});
  EXPECT_TRUE(has_shape(b.bound(), y, {1, 1, 4, 3}));
  EXPECT_EQ(resize_of(b.graph).roi, (std::vector<float>{0, 0, 0.5f, 0.25f, 1, 1, 2, 1}));
  EXPECT_FALSE(keeps_axis(resize_of(b.graph), 2, 4));
  EXPECT_TRUE(keeps_axis(resize_of(b.graph), 1, 1));
}

TEST(ComputeOps, UpsampleReadsItsScales) {
  Builder b;
  const auto y =
      b.op("y", Resize{.coordinates = ResizeCoordinates::asymmetric, .is_upsample = true},
           {b.input("x", {1, 2, 3, 4}), b.floats("s", {4}, {1, 1, 2, 3})});
  EXPECT_TRUE(has_shape(b.bound(), y, {1, 2, 6, 12}));
  Builder c;
  const auto z = c.op("z", Resize{.scales = std::vector<float>{1, 1, 2, 2}, .is_upsample = true},
                      {c.input("x", {1, 2, 3, 4})});
  EXPECT_TRUE(has_shape(c.bound(), z, {1, 2, 6, 8}));
}

TEST(ComputeOps, PReluSlopeBroadcastsOneWay) {
  EXPECT_EQ(shape_of(PRelu{}, {{2, 3, 4}, {3, 1}}), (Shape{2, 3, 4}));
}

}  // namespace
}  // namespace fovea::graph::test
