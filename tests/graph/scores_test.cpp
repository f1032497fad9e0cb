#include <functional>

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

/// Spellings of an activation, each with what may stand behind it.
enum class Spelt { op, exp_sum, less_maximum, exp_log, times_reciprocal, log_sum_exp };

ValueId softmax_of(Builder& b, ValueId x, std::int64_t axis, Spelt how, bool keep) {
  const auto sum = [&](const char* name, ReduceKind kind, ValueId of) {
    const auto out = b.op(name, Reduce{.kind = kind, .axes = Ints{axis}, .keep_dims = keep}, {of});
    return keep ? out
                : b.op(std::string(name) + "_back", Reshape{ReshapeKind::unsqueeze, Ints{axis}},
                       {out});
  };
  if (how == Spelt::op) return b.op("soft", Softmax{axis}, {x});
  if (how == Spelt::exp_log)
    return b.unary("soft", UnaryKind::exp, b.op("ls", Softmax{.axis = axis, .log = true}, {x}));
  if (how == Spelt::log_sum_exp)
    return b.unary(
        "soft", UnaryKind::exp,
        b.op("ls", Binary{BinaryKind::sub}, {x, sum("lse", ReduceKind::log_sum_exp, x)}));
  auto z = x;
  if (how == Spelt::less_maximum)
    z = b.op("z", Binary{BinaryKind::sub}, {x, sum("m", ReduceKind::max, x)});
  const auto e = b.unary("e", UnaryKind::exp, z);
  const auto s = sum("s", ReduceKind::sum, e);
  if (how == Spelt::times_reciprocal)
    return b.op("soft", Binary{BinaryKind::mul}, {e, b.unary("r", UnaryKind::reciprocal, s)});
  return b.op("soft", Binary{BinaryKind::div}, {e, s});
}

/// 0: nothing; each else leaves the values up to type, extents and a factor.
ValueId tail_of(Builder& b, ValueId x, int which) {
  switch (which) {
    case 1:
      return b.op("out", Cast{}, {x});
    case 2:
      return b.op("out", Unary{.kind = UnaryKind::clip, .alpha = 0, .beta = 1}, {x});
    case 3:
      return b.op("out", Binary{BinaryKind::mul}, {x, b.floats("hundred", {1}, {100})});
    case 4:
      return b.op("out", Binary{BinaryKind::div},
                  {b.op("cast", Cast{}, {x}), b.floats("two", {}, {2})});
    case 5:
      return b.unary("out", UnaryKind::identity, b.op("cast", Cast{}, {x}));
    default:
      return x;
  }
}

TEST(Scores, LookBehindEverySpellingAndTail) {
  int seen = 0;
  for (const auto how : {Spelt::op, Spelt::exp_sum, Spelt::less_maximum, Spelt::exp_log,
                         Spelt::times_reciprocal, Spelt::log_sum_exp})
    for (const bool at_positions : {false, true})
      for (const bool keep : {true, false})
        for (int tail = 0; tail < 6; ++tail) {
          Builder b;
          const auto x = b.input("x", at_positions ? Shape{2, 4, 3, 5} : Shape{2, 4});
          tail_of(b, softmax_of(b, x, 1, how, keep), tail);
          const auto s = find_scores(b.bound(), at_positions && tail > 0 ? "out"
                                                : at_positions           ? "soft"
                                                                         : "");
          EXPECT_EQ(b.value(s.logits).name, "x")
              << static_cast<int>(how) << " " << at_positions << keep << " " << tail;
          EXPECT_TRUE(s.softmax);
          EXPECT_FALSE(s.of_probabilities);
          EXPECT_EQ(s.factor, tail == 3 ? 100.f : tail == 4 ? 0.5f : 1.f);
          ++seen;
        }
  EXPECT_GE(seen, 100);
}

TEST(Scores, LookBehindASigmoidSpeltOut) {
  Builder b;
  const auto x = b.input("x", {2, 4});
  const auto e = b.unary("e", UnaryKind::exp, b.unary("n", UnaryKind::neg, x));
  const auto one = b.floats("one", {1}, {1});
  b.op("y", Binary{BinaryKind::div}, {one, b.op("d", Binary{BinaryKind::add}, {one, e})});
  EXPECT_EQ(scores_of(b), (Named{"y", "x", false, true}));
}

TEST(Scores, AreLeftWhereTheTailChangesThem) {
  const auto soft = [](Builder& b) { return b.op("soft", Softmax{1}, {b.input("x", {2, 4})}); };
  Builder cut;
  cut.op("y", Unary{.kind = UnaryKind::clip, .alpha = 0.1f, .beta = 0.9f}, {soft(cut)});
  EXPECT_EQ(scores_of(cut), (Named{"y", "y", false, false}));
  Builder scaled;  // of 0..100, the clip cuts
  scaled.op(
      "y", Unary{.kind = UnaryKind::clip, .alpha = 0, .beta = 1},
      {scaled.op("s", Binary{BinaryKind::mul}, {soft(scaled), scaled.floats("c", {}, {100})})});
  EXPECT_EQ(scores_of(scaled), (Named{"y", "y", false, false}));
  Builder weighed;
  weighed.op("y", Binary{BinaryKind::mul}, {soft(weighed), weighed.floats("c", {4}, {1, 2, 3, 4})});
  EXPECT_EQ(scores_of(weighed), (Named{"y", "y", false, false}));
  Builder negative;
  negative.op("y", Binary{BinaryKind::mul}, {soft(negative), negative.floats("c", {}, {-1})});
  EXPECT_EQ(scores_of(negative), (Named{"y", "y", false, false}));
  Builder least;  // of logarithms, which are below 0, the least is all that is left
  least.op("y", Binary{BinaryKind::max},
           {least.op("ls", Softmax{.axis = 1, .log = true}, {least.input("x", {2, 4})}),
            least.floats("c", {}, {1e-7f})});
  EXPECT_EQ(scores_of(least), (Named{"y", "y", false, false}));
  Builder other;  // the sum of other terms is no softmax's
  const auto x = other.input("x", {2, 4});
  const auto e = other.unary("e", UnaryKind::exp, x);
  other.op("y", Binary{BinaryKind::div},
           {e, other.op("s", Reduce{.kind = ReduceKind::sum, .axes = Ints{1}}, {x})});
  EXPECT_EQ(scores_of(other), (Named{"y", "y", false, false}));
}

/// A network's probabilities, and what it makes of them, "y".
using Makes = std::function<ValueId(Builder&, ValueId)>;

bool of_probabilities(const Makes& makes, bool sigmoid) {
  Builder b;
  const auto fc = b.op("fc", Gemm{}, {b.input("x", {2, 4}), b.weights("w", {4, 6})});
  const auto p = sigmoid ? b.unary("p", UnaryKind::sigmoid, fc) : b.op("p", Softmax{1}, {fc});
  const auto y = makes(b, p);
  return find_scores(b.bound(), b.value(y).name).of_probabilities;
}

TEST(Scores, KnowWhereTheyAreMadeOfProbabilities) {
  const auto slice = [](Builder& b, ValueId p, std::int64_t from) {
    return b.op("s" + std::to_string(from), Slice{Ints{from}, Ints{from + 2}, Ints{1}, {}}, {p});
  };
  const std::vector<Makes> made{
      [&](Builder& b, ValueId p) { return slice(b, p, 1); },
      [&](Builder& b, ValueId p) {
        return b.op("y", Gather{.axis = 1}, {p, b.ints("which", {3, 1})});
      },
      [&](Builder& b, ValueId p) {
        return b.op("y", Binary{BinaryKind::sub}, {b.floats("one", {}, {1}), p});
      },
      [&](Builder& b, ValueId p) {
        return b.op("y", Binary{BinaryKind::mul}, {p, b.floats("c", {6}, {1, 2, 3, 4, 5, 6})});
      },
      [&](Builder& b, ValueId p) {
        return b.op("y", Reduce{.kind = ReduceKind::sum, .axes = Ints{1}}, {slice(b, p, 1)});
      },
      [&](Builder& b, ValueId p) {
        return b.op("y", Concat{1},
                    {slice(b, p, 0),
                     b.op("other", Gemm{}, {b.input("z", {2, 3}), b.weights("v", {3, 2})})});
      },
      [&](Builder& b, ValueId p) {
        return b.op("y", Binary{BinaryKind::mul}, {slice(b, p, 0), slice(b, p, 2)});
      },
      [&](Builder& b, ValueId p) {
        return b.op("y", Binary{BinaryKind::div}, {slice(b, p, 0), slice(b, p, 2)});
      },
      [&](Builder& b, ValueId p) {  // a softmax that is one too many
        return b.op("y", Softmax{1}, {p});
      },
  };
  for (std::size_t i = 0; i < made.size(); ++i)
    for (const bool sigmoid : {false, true})
      EXPECT_TRUE(of_probabilities(made[i], sigmoid)) << i << sigmoid;
}

TEST(Scores, KnowAGateFromProbabilities) {
  const std::vector<Makes> made{
      [](Builder&, ValueId p) { return p; },
      [](Builder& b, ValueId p) {  // weights behind it
        return b.op("y", Gemm{}, {p, b.weights("v", {6, 3})});
      },
      [](Builder& b, ValueId p) {  // x sigmoid(x)
        return b.op("y", Binary{BinaryKind::mul},
                    {b.unary("q", UnaryKind::identity,
                             b.op("g", Gemm{}, {b.input("z", {2, 4}), b.weights("v", {4, 6})})),
                     p});
      },
      [](Builder& b, ValueId p) {  // a gate and what is left of it, and the way past both
        const auto z = b.op("g", Gemm{}, {b.input("z", {2, 4}), b.weights("v", {4, 6})});
        const auto rest = b.op("rest", Binary{BinaryKind::sub}, {b.floats("one", {}, {1}), p});
        const auto both = b.op("both", Binary{BinaryKind::add},
                               {b.op("m", Binary{BinaryKind::mul}, {p, z}),
                                b.op("l", Binary{BinaryKind::mul}, {z, rest})});
        return b.op("y", Binary{BinaryKind::add}, {both, z});
      },
      [](Builder& b, ValueId p) {  // attention: both operands are computed
        const auto z = b.op("g", Gemm{}, {b.input("z", {6, 4}), b.weights("v", {4, 3})});
        return b.op("y", MatMul{}, {p, z});
      },
      [](Builder& b, ValueId p) {  // the image itself behind a gate
        return b.op("y", Binary{BinaryKind::mul}, {p, b.input("z", {2, 6})});
      },
      [](Builder& b, ValueId p) {  // scaled by a gate
        return b.op("y", Binary{BinaryKind::div},
                    {b.op("g", Gemm{}, {b.input("z", {2, 4}), b.weights("v", {4, 6})}), p});
      },
  };
  for (std::size_t i = 0; i < made.size(); ++i)
    for (const bool sigmoid : {false, true})
      EXPECT_FALSE(of_probabilities(made[i], sigmoid)) << i << sigmoid;
}

TEST(Scores, LogitsAreLaidOutAsTheOutput) {
  Builder b;
  const auto soft = b.op("soft", Softmax{1}, {b.input("x", {2, 4, 3, 5})});
  b.op("y", Transpose{{0, 2, 3, 1}}, {soft});
  const auto bound = b.bound();
  auto scores = find_scores(bound, "y");
  ASSERT_EQ(scores.layout.size(), 1u);
  auto laid_out = bound;
  lay_out_logits(laid_out, scores);
  const auto& made = laid_out.node(laid_out.value(scores.logits).producer);
  EXPECT_EQ(laid_out.value(made.inputs[0]).name, "x");
  EXPECT_EQ(std::get<Transpose>(made.op).perm, (Ints{0, 2, 3, 1}));
}

}  // namespace
}  // namespace fovea::graph::test
