#include "graph/query.hpp"
#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

struct Named {
  std::string output, logits;
  bool softmax, sigmoid;
  friend bool operator==(const Named&, const Named&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Named& n) {
    return out << n.output << " " << n.logits << " " << n.softmax << n.sigmoid;
  }
};

Named scores_of(Builder& b, std::string_view name = "") {
  const auto s = find_scores(b.bound(), name);
  return {b.value(s.output).name, b.value(s.logits).name, s.softmax, s.sigmoid};
}

TEST(Scores, LogitsAreTheOutputItself) {
  Builder b;
  b.op("fc", Gemm{}, {b.input("x", {1, 4}), b.weights("w", {4, 10})});
  EXPECT_EQ(scores_of(b), (Named{"fc", "fc", false, false}));
}

TEST(Scores, LookBehindSoftmaxAndSigmoid) {
  Builder b;
  b.op("prob", Softmax{-1}, {b.op("fc", Gemm{}, {b.input("x", {1, 4}), b.weights("w", {4, 10})})});
  EXPECT_EQ(scores_of(b), (Named{"prob", "fc", true, false}));
  Builder c;
  c.op("logprob", Softmax{.axis = 1, .log = true}, {c.input("x", {2, 4})});
  EXPECT_EQ(scores_of(c), (Named{"logprob", "x", true, false}));
  Builder d;
  d.unary("prob", UnaryKind::sigmoid, d.input("x", {2, 4}));
  EXPECT_EQ(scores_of(d), (Named{"prob", "x", false, true}));
}

TEST(Scores, LookBehindReshapesAfterTheSoftmax) {
  Builder b;
  const auto x = b.input("x", {1, 1000, 13, 13});
  const auto pool = b.op("pool", Reduce{.spatial = true}, {x});
  const auto soft = b.op("soft", Softmax{.axis = 1, .flatten = true}, {pool});
  const auto flat = b.op("flat", Reshape{ReshapeKind::flatten, {}, false}, {soft});
  b.unary("out", UnaryKind::identity, flat);
  EXPECT_EQ(scores_of(b), (Named{"out", "pool", true, false}));
}

TEST(Scores, AFourDimensionalSoftmax) {
  Builder b;
  const auto pool = b.op("pool", Reduce{.spatial = true}, {b.input("x", {-1, 1000, 13, 13})});
  b.op("soft", Softmax{.axis = 1, .flatten = true}, {pool});
  EXPECT_EQ(scores_of(b), (Named{"soft", "pool", true, false}));
}

TEST(Scores, ASoftmaxOverOtherThanClassesIsNoEnd) {
  Builder b;
  b.op("soft", Softmax{.axis = 1}, {b.input("x", {1, 1, 10})});
  EXPECT_EQ(scores_of(b), (Named{"soft", "soft", false, false}));
}

TEST(Scores, AReshapeWithoutActivationStaysTheLogits) {
  Builder b;
  b.op("out", Reshape{ReshapeKind::flatten, {}, false},
       {b.op("pool", Reduce{.spatial = true}, {b.input("x", {1, 10, 3, 3})})});
  EXPECT_EQ(scores_of(b), (Named{"out", "out", false, false}));
}

Builder two_outputs() {
  Builder b;
  const auto x = b.input("x", {1, 4, 5, 5});
  b.output(b.unary("mask", UnaryKind::sigmoid, x));
  const auto pool = b.op("pool", Reduce{.keep_dims = false, .spatial = true}, {x});
  b.output(pool);
  return b;
}

TEST(Scores, WithoutABatch) {
  Builder b;
  const auto x = b.input("x", {1, 4, 5, 5});
  const auto pool = b.op("pool", Reduce{.axes = Ints{0, 2, 3}, .keep_dims = false}, {x});
  b.output(b.op("mean", Reduce{.axes = Ints{0}, .keep_dims = false}, {pool}));
  b.output(b.op("soft", Softmax{.axis = 0}, {pool}));
  EXPECT_EQ(scores_of(b), (Named{"soft", "pool", true, false}));
}

TEST(Scores, AreNoOutputThatTheImageDoesNotChange) {
  Builder b;
  const auto x = b.input("x", {1, 4, 5, 5});
  b.output(b.unary("version", UnaryKind::identity, b.floats("v", {1, 2}, {1, 7})));
  b.output(b.op("pool", Reduce{.spatial = true}, {x}));
  EXPECT_EQ(scores_of(b), (Named{"pool", "pool", false, false}));
}

TEST(Scores, TheFirstOfRankTwoOrTheNamed) {
  auto b = two_outputs();
  EXPECT_EQ(scores_of(b), (Named{"pool", "pool", false, false}));
  auto c = two_outputs();
  EXPECT_EQ(scores_of(c, "mask"), (Named{"mask", "x", false, true}));
}

TEST(Scores, RefuseUnknownAndUnlikelyOutputs) {
  auto b = two_outputs();
  expect_error([&] { scores_of(b, "nope"); }, ErrorCode::invalid_argument,
               "no such output (node nope)");
  Builder c;
  c.unary("y", UnaryKind::relu, c.input("x", {1, 4, 5, 5}));
  expect_error([&] { scores_of(c); }, ErrorCode::invalid_argument,
               "no output looks like class scores: y [1, 4, 5, 5]");
  Builder d;
  d.op("y", Reduce{.kind = ReduceKind::arg_max, .axes = Ints{1}}, {d.input("x", {1, 4})});
  expect_error([&] { scores_of(d, "y"); }, ErrorCode::invalid_argument, "does not hold scores");
}

}  // namespace
}  // namespace fovea::graph::test
