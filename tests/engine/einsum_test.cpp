#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "engine/op_graph.hpp"
#include "engine/plan.hpp"
#include "reference/reference.hpp"

/// Equations of every form, drawn: letters in any order, summed in one operand or in both,
/// diagonals, extents of 1 that are broadcast, ellipses, implicit results, scalars.
namespace fovea::engine_test {
namespace {

using reference::Array;

constexpr std::int64_t kMaxElements = 4000;  // of the reference's loop

class Draw {
 public:
  explicit Draw(unsigned seed, std::size_t most_terms = 2)
      : random_(seed), most_terms_(most_terms) {}

  Case one() {
    std::vector<Operand> operands;
    std::string equation, letters;
    const Shape hidden = chance(0.3) ? extents(below(3)) : Shape{};
    bool any_ellipsis = false;
    std::size_t most_hidden = 0;
    const std::size_t terms = 1 + below(most_terms_);
    for (std::size_t t = 0; t < terms; ++t) {
      std::string term = t == 0 ? "" : ",";
      Shape shape;
      std::map<char, std::int64_t> own;
      const auto named = below(5);
      const auto ellipsis_at = !hidden.empty() && chance(0.8) ? below(named + 1) : named + 1;
      for (std::size_t i = 0; i <= named; ++i) {
        if (i == ellipsis_at) {
          const auto count = below(hidden.size() + 1);
          any_ellipsis = true;
          most_hidden = std::max(most_hidden, count);
          term += "...";
          for (std::size_t d = hidden.size() - count; d < hidden.size(); ++d)
            shape.push_back(chance(0.2) ? 1 : hidden[d]);
        }
        if (i == named) break;
        const bool repeat = !own.empty() && chance(0.15);
        const char letter = repeat ? own.begin()->first : "abcXYz"[below(6)];
        const auto extent = own.contains(letter) ? own[letter] : chance(0.12) ? 1 : full(letter);
        own[letter] = extent;
        shape.push_back(extent);
        term += letter;
        if (chance(0.1)) term += ' ';
        if (letters.find(letter) == std::string::npos) letters += letter;
      }
      equation += term;
      operands.push_back(data(shape));
    }
    if (chance(0.75)) {
      std::shuffle(letters.begin(), letters.end(), random_);
      letters.resize(below(letters.size() + 1));
      if (most_hidden > 0 || (any_ellipsis && chance(0.5)))
        letters.insert(below(letters.size() + 1), "...");
      equation += "->" + letters;
    }
    return {equation, graph::Einsum{equation}, operands};
  }

 private:
  std::size_t below(std::size_t n) {
    return n == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random_) < p; }
  Shape extents(std::size_t count) {
    Shape out;
    while (out.size() < count) out.push_back(2 + static_cast<std::int64_t>(below(2)));
    return out;
  }
  std::int64_t full(char letter) {
    const auto [it, is_new] = extent_.try_emplace(letter, 0);
    if (is_new) it->second = 1 + static_cast<std::int64_t>(below(4));
    return it->second;
  }

  std::mt19937 random_;
  std::size_t most_terms_;
  std::map<char, std::int64_t> extent_;
};

/// How many products the reference adds up.
std::int64_t terms_of(const Case& one) {
  std::int64_t n = 1;
  for (const auto& operand : one.operands) n *= reference::count(operand.shape);
  return n;
}

std::string shown(const Case& one) {
  std::string out = one.name;
  for (const auto& operand : one.operands) {
    out += " [";
    for (const auto extent : operand.shape) out += std::to_string(extent) + " ";
    out += "]";
  }
  return out;
}

void expect_the_result(const Case& one) {
  Bench bench = build_bench(one, false);
  engine::PlanSpec spec;
  spec.fetches = bench.results;
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(bench.graph, spec, weights);
  auto workspace = plan->make_workspace();
  forward(*plan, workspace, bench);
  const auto want = expected(bench)[0];
  const auto got = plain(plan->fetch(workspace, 0));
  ASSERT_EQ(got.size(), want.data.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], want.data[i], 1e-5 * (1 + std::abs(want.data[i]))) << "element " << i;
}

/// The result is linear in each operand: a difference over any step is the slope.
void expect_the_slopes(const Case& one) {
  Bench bench = build_bench(one, false);
  for (std::size_t k = 0; k < bench.arguments.size(); ++k) {
    const auto of = bench.results[0], wrt = bench.arguments[k];
    engine::PlanSpec spec;
    spec.fetches = {of};
    spec.gradients = {{of, wrt}};
    engine::WeightCache weights;
    const auto plan = engine::Plan::build(bench.graph, spec, weights);
    auto workspace = plan->make_workspace();
    forward(*plan, workspace, bench);
    const Array seeds = spread(data(bench.graph.value(of).shape, -1.3, 1.1), 99);
    plan->backward(workspace, 0, floats(seeds), {});
    const auto got = plain(plan->gradient(workspace, 0));
    Array& x = bench.arrays.at(wrt.index);
    ASSERT_EQ(got.size(), x.data.size());
    const auto score = [&] {
      const auto y = expected(bench)[0];
      double sum = 0;
      for (std::size_t i = 0; i < y.data.size(); ++i) sum += y.data[i] * seeds.data[i];
      return sum;
    };
    for (std::size_t i = 0; i < x.data.size(); i += 1 + x.data.size() / 8) {
      const double kept = x.data[i];
      x.data[i] = kept + 1;
      const double up = score();
      x.data[i] = kept - 1;
      const double slope = (up - score()) / 2;
      x.data[i] = kept;
      ASSERT_NEAR(got[i], slope, 1e-5 * (1 + std::abs(slope))) << "input " << k << " element " << i;
    }
  }
}

TEST(Einsum, DrawnEquationsAreTheReferences) {
  int served = 0, diagonals = 0, broadcasts = 0, alone = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    const Case one = Draw(seed).one();
    if (terms_of(one) > kMaxElements) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + shown(one));
    Bench bench;
    try {
      bench = build_bench(one, false);
    } catch (const Error& error) {
      // The result has too many dimensions.
      ASSERT_EQ(error.code(), ErrorCode::unsupported) << error.what();
      continue;
    }
    ++served;
    ASSERT_NO_FATAL_FAILURE(expect_the_result(one));
    ASSERT_NO_FATAL_FAILURE(expect_the_slopes(one));
    const auto& equation = std::get<graph::Einsum>(bench.op).equation;
    const auto arrow = equation.find("->");
    const auto comma = std::min(equation.find(','), arrow);
    const std::string first = equation.substr(0, comma);
    for (std::size_t i = 0; i < first.size(); ++i) {
      const bool repeated = first.find(first[i]) != i;
      const auto second = equation.find(first[i], comma);
      diagonals += repeated ? 1 : 0;
      alone += second == std::string::npos ? 1 : 0;
      if (second < arrow && !repeated)
        broadcasts += one.operands[0].shape[i] != one.operands[1].shape[second - comma - 1] ? 1 : 0;
    }
  }
  // The draw is of every form.
  EXPECT_GT(served, 300);
  EXPECT_GT(diagonals, 30);
  EXPECT_GT(broadcasts, 30);
  EXPECT_GT(alone, 100);
}

TEST(Einsum, DrawnEquationsOfMoreOperandsAreTheReferences) {
  int served = 0, four = 0;
  for (unsigned seed = 1000; seed < 1600; ++seed) {
    const Case one = Draw(seed, 4).one();
    if (terms_of(one) > 8 * kMaxElements || one.operands.size() < 3) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + shown(one));
    try {
      build_bench(one, false);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::unsupported) << error.what();
      continue;
    }
    ++served;
    four += one.operands.size() == 4 ? 1 : 0;
    ASSERT_NO_FATAL_FAILURE(expect_the_result(one));
    ASSERT_NO_FATAL_FAILURE(expect_the_slopes(one));
  }
  EXPECT_GT(served, 100);
  EXPECT_GT(four, 30);
}

/// A chain of matrices from the right end: no product is larger than a vector.
TEST(Einsum, TakesTheSmallestProductFirst) {
  const Bench bench = build_bench({"chain",
                                   graph::Einsum{"ab,bc,cd,d->a"},
                                   {data({9, 8}), data({8, 7}), data({7, 6}), data({6})}},
                                  false);
  std::int64_t largest = 0;
  for (const auto& node : bench.graph.nodes())
    largest = std::max(largest, reference::count(bench.graph.value(node.outputs[0]).shape));
  EXPECT_EQ(bench.graph.nodes().size(), 3u);
  EXPECT_EQ(largest, 9);
}

}  // namespace
}  // namespace fovea::engine_test
