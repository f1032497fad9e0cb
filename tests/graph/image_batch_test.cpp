#include "graph/query.hpp"
#include "graph/support.hpp"

/// Which extents of inputs and scores count the images of a batch.
namespace fovea::graph::test {
namespace {

ImageBatch image_batch_of(Builder& b, ValueId scores) {
  return find_image_batch(b.bound(), scores);
}

void expect_refused(Builder& b, ValueId scores, std::string_view phrase) {
  b.bound();
  expect_error([&] { find_image_batch(b.graph, scores); }, ErrorCode::invalid_argument, phrase);
}

ValueId mean(Builder& b, const std::string& name, ValueId x, Ints axes, bool keep_dims = false) {
  return b.op(name, Reduce{.axes = std::move(axes), .keep_dims = keep_dims}, {x});
}

ValueId reshape(Builder& b, const std::string& name, ValueId x, Ints shape) {
  return b.op(name, Reshape{ReshapeKind::reshape, std::move(shape), false}, {x});
}

TEST(ImageBatch, AreTheRowsOfTheScores) {
  Builder b;
  const auto x = b.input("x", {3, 2, 5, 5});
  const auto pool = mean(b, "pool", x, {2, 3});
  const auto fc = b.op("fc", Gemm{}, {pool, b.weights("w", {2, 10})});
  const auto found = image_batch_of(b, fc);
  EXPECT_EQ(found.count, 3);
  EXPECT_EQ(found.scores, 10);
  EXPECT_TRUE(found.are_rows_of(x) && found.are_rows_of(pool) && found.are_rows_of(fc));
}

/// A policy's observations, and not its memory, which has positions.
TEST(ImageBatch, ARecurrentNetworksMemoryHoldsNoImages) {
  Builder b;
  const auto memory = b.input("memory", {1, 1, 4});
  const auto seen = b.input("seen", {1, 3});
  const auto first = b.op("first", Transpose{{1, 0, 2}}, {memory});
  Recurrent gru;
  gru.kind = CellKind::gru;
  gru.activations.resize(2);
  const auto results = b.ops("gru", gru,
                             {reshape(b, "steps", seen, {1, 1, 3}),
                              b.weights("w", {1, 12, 3}),
                              b.weights("r", {1, 12, 4}),
                              {},
                              {},
                              first},
                             {"all_h", "last_h"});
  const auto scores = reshape(b, "y", results[1], {1, 4});
  EXPECT_EQ(image_batch_of(b, scores).input, 1U);
  EXPECT_EQ(find_image_batch(b.graph, first).input, 0U) << "the one input that it reads";
}

/// A state by its name and extents, whatever the cell is made of: a speech detector's chunk of
/// sound is [1, n], and its state has more extents.
TEST(ImageBatch, AStateThatIsFedFromAnOutputHoldsNoImages) {
  for (const auto& [name, input] : {std::pair{"stateN", 1U}, std::pair{"other", 0U}}) {
    Builder b;
    const auto state = b.input("state", {1, 1, 4});
    const auto sound = b.input("sound", {1, 4});
    const auto sum = b.binary("sum", BinaryKind::add, reshape(b, "flat", state, {1, 4}), sound);
    b.output(reshape(b, name, b.unary("cell", UnaryKind::tanh, sum), {1, 1, 4}));
    const auto scores = b.op("scores", Gemm{}, {sum, b.weights("w", {4, 2})});
    b.output(scores);
    EXPECT_EQ(image_batch_of(b, scores).input, input) << name;
  }
}

TEST(ImageBatch, OneImageHasScoresOfAnyRank) {
  for (const Shape& shape : {Shape{6}, Shape{1, 6}, Shape{6, 1}, Shape{1, 1, 6}, Shape{1, 2, 3}}) {
    Builder b;
    const auto pool = mean(b, "pool", b.input("x", {1, 6, 5, 5}), {2, 3});
    const auto found = image_batch_of(b, reshape(b, "y", pool, shape));
    EXPECT_EQ(found.count, 1) << ::testing::PrintToString(shape);
    EXPECT_EQ(found.scores, 6) << ::testing::PrintToString(shape);
  }
  Builder b;
  const auto found = image_batch_of(b, mean(b, "y", b.input("x", {1, 6, 5, 5}), {0, 1, 2, 3}));
  EXPECT_EQ(found.scores, 1);
}

TEST(ImageBatch, RowsThatArePositionsAreRefused) {
  for (const std::int64_t images : {1, 2}) {
    Builder b;
    const auto last = b.op("t", Transpose{{0, 2, 3, 1}}, {b.input("x", {images, 4, 8, 8})});
    expect_refused(b, reshape(b, "y", last, {-1, 4}), "64 rows for");
  }
}

TEST(ImageBatch, ScoresOfImagesInOneExtentAreToldApart) {
  Builder b;
  const auto pool = mean(b, "pool", b.input("x", {2, 5, 3, 3}), {2, 3});
  const auto found = image_batch_of(b, reshape(b, "y", pool, {10}));
  EXPECT_EQ(found.count, 2);
  EXPECT_EQ(found.scores, 5);
}

TEST(ImageBatch, ScoresAlongAnotherAxisAreRefused) {
  Builder b;
  const auto pool = mean(b, "pool", b.input("x", {2, 5, 3, 3}), {2, 3});
  expect_refused(b, b.op("y", Transpose{{1, 0}}, {pool}), "along axis 1");
  Builder equal;  // extents alone would not tell
  const auto square = mean(equal, "pool", equal.input("x", {3, 3, 4, 4}), {2, 3});
  expect_refused(equal, equal.op("y", Transpose{{1, 0}}, {square}), "along axis 1");
}

TEST(ImageBatch, ImagesThatArePickedAreRefused) {
  Builder b;
  const auto pool = mean(b, "pool", b.input("x", {2, 5, 3, 3}), {2, 3});
  expect_refused(b, b.op("y", Gather{0}, {pool, b.ints("i", {1, 0})}), "in another order");
  Builder half;  // all scores of the first image, where two were given
  const auto all = mean(half, "pool", half.input("x", {2, 4, 3, 3}), {2, 3});
  const auto first = half.op("y", Slice{Ints{0}, Ints{1}, Ints{0}, Ints{1}}, {all});
  expect_refused(half, reshape(half, "z", first, {2, 2}), "some of the 2 images");
}

TEST(ImageBatch, ImagesInTurnsAreRefused) {
  Builder b;
  const auto pool = mean(b, "pool", b.input("x", {2, 5, 3, 3}), {2, 3});
  const auto turns = reshape(b, "y", b.op("t", Transpose{{1, 0}}, {pool}), {10});
  expect_refused(b, turns, "in turns");
  Builder tiled;
  const auto scores = mean(tiled, "pool", tiled.input("x", {2, 5, 3, 3}), {2, 3});
  const auto twice = tiled.op("y", Tile{Ints{2, 1}}, {scores});
  expect_refused(tiled, twice, "in turns");
  expect_refused(tiled, mean(tiled, "m", reshape(tiled, "r", twice, {2, 10}), {1}), "mixes them");
}

TEST(ImageBatch, ImagesThatAreMixedAreRefused) {
  Builder b;
  const auto pool = mean(b, "pool", b.input("x", {2, 5, 3, 3}), {2, 3});
  const auto centred = b.binary("y", BinaryKind::sub, pool, mean(b, "m", pool, {0}, true));
  expect_refused(b, centred, "mixes them");
}

TEST(ImageBatch, ImagesAlongAnExtentThatAWindowSlidesOverAreRefused) {
  Builder b;  // images as columns, beside which they stand as rows
  const auto x = b.input("x", {2, 3, 2, 2});
  const auto turned = b.op("t", Transpose{{2, 1, 3, 0}}, {x});
  const auto conv = b.op("conv", Conv{}, {turned, b.weights("w", {3, 3, 1, 1})});
  expect_refused(b, b.binary("y", BinaryKind::add, mean(b, "m", conv, {2}), mean(b, "n", x, {2})),
                 "mixes them");
}

TEST(ImageBatch, AnExtentThatCountsNothingBelongsToTheImage) {
  Builder b;  // channels, rows, columns, and no batch
  const auto x = b.input("x", {3, 8, 8});
  const auto map =
      b.op("conv", Conv{}, {reshape(b, "r", x, {1, 3, 8, 8}), b.weights("w", {4, 3, 3, 3})});
  const auto found = image_batch_of(b, mean(b, "y", map, {2, 3}));
  EXPECT_EQ(found.count, 1);
  EXPECT_EQ(found.scores, 4);
  EXPECT_FALSE(found.are_rows_of(x));
  EXPECT_TRUE(found.are_rows_of(map));
  Builder two;  // frames of one clip
  const auto clip = two.input("x", {2, 4, 3, 3});
  const auto score = mean(two, "y", clip, {0, 2, 3}, false);
  const auto of_clip = image_batch_of(two, score);
  EXPECT_EQ(of_clip.count, 1);
  EXPECT_FALSE(of_clip.are_rows_of(clip));
}

TEST(ImageBatch, OtherInputsHaveRowsOrAreShared) {
  Builder b;
  const auto t = b.input("t", {});
  const auto x = b.input("x", {2, 5, 3, 3});
  const auto bias = b.input("bias", {2, 5}), scale = b.input("scale", {5});
  auto y = mean(b, "pool", x, {2, 3});
  y = b.binary("a", BinaryKind::add, y, bias);
  y = b.binary("b", BinaryKind::mul, y, scale);
  y = b.binary("y", BinaryKind::div, y, t);
  const auto found = image_batch_of(b, y);
  EXPECT_EQ(b.graph.inputs[found.input], x) << "the first with positions";
  EXPECT_TRUE(found.are_rows_of(bias));
  EXPECT_FALSE(found.are_rows_of(scale));
  EXPECT_FALSE(found.are_rows_of(t));
  Builder same;  // two classes and two images: the extent is the same, the meaning is not
  const auto pool = mean(same, "pool", same.input("x", {2, 2, 3, 3}), {2, 3});
  const auto classes = same.input("classes", {2});
  const auto scores = same.binary("y", BinaryKind::add, pool, classes);
  EXPECT_FALSE(image_batch_of(same, scores).are_rows_of(classes));
}

TEST(ImageBatch, AreFollowedThroughWindowsAndHeads) {
  Builder b;
  auto x = b.input("x", {2, 8, 8, 6});
  auto y = reshape(b, "split", x, {2, 2, 4, 2, 4, 6});
  y = b.op("turn", Transpose{{0, 1, 3, 2, 4, 5}}, {y});
  const auto windows = reshape(b, "windows", y, {8, 16, 6});
  y = b.op("mix", MatMul{}, {windows, b.weights("w", {6, 6})});
  y = reshape(b, "join", y, {2, 2, 2, 4, 4, 6});
  y = b.op("back", Transpose{{0, 1, 3, 2, 4, 5}}, {y});
  const auto map = reshape(b, "map", y, {2, 8, 8, 6});
  const auto found = image_batch_of(b, mean(b, "y", map, {1, 2}));
  EXPECT_EQ(found.count, 2);
  EXPECT_TRUE(found.are_rows_of(map));
  EXPECT_FALSE(found.are_rows_of(windows));
}

TEST(ImageBatch, WhereAnOperatorDoesNotTellExtentsDecide) {
  Builder b;
  const auto pool = mean(b, "pool", b.input("x", {2, 5, 3, 3}), {2, 3});
  const auto at = b.graph.add_constant("i", Constant::of_ints({2, 1}, {1, 0}));
  const auto rows = b.op("rows", GatherND{}, {pool, at});
  EXPECT_EQ(image_batch_of(b, rows).count, 2);
  Builder c;
  const auto other = mean(c, "pool", c.input("x", {2, 5, 3, 3}), {2, 3});
  EXPECT_EQ(image_batch_of(c, c.op("row", Gather{.axis = 0}, {other, c.ints("i", {1})})).count, 1);
}

TEST(ImageBatch, AreFollowedThroughAStridedView) {
  Builder b;
  const auto pool = mean(b, "pool", b.input("x", {2, 3, 4, 4}), {2, 3});
  const auto flat = reshape(b, "flat", pool, {6});
  const auto view = b.op("view", Gather{.axis = 0},
                         {flat, reshape(b, "i", b.ints("f", {0, 1, 2, 3, 4, 5}), {2, 3})});
  const auto found = image_batch_of(b, view);
  EXPECT_EQ(found.count, 2);
  EXPECT_EQ(found.scores, 3);
  Builder c;
  const auto other = mean(c, "pool", c.input("x", {2, 3, 4, 4}), {2, 3});
  const auto turned = c.op(
      "view", Gather{.axis = 0},
      {reshape(c, "flat", other, {6}), reshape(c, "i", c.ints("f", {3, 4, 5, 0, 1, 2}), {2, 3})});
  expect_refused(c, turned, "in another order");
}

TEST(ImageBatch, AGraphWithoutInputsHasOne) {
  Builder b;
  const auto y = b.floats("y", {1, 4}, {1, 2, 3, 4});
  EXPECT_EQ(find_image_batch(b.graph, y).scores, 4);
}

}  // namespace
}  // namespace fovea::graph::test
