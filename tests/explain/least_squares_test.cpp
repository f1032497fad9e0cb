#include "explain/least_squares.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <random>

#include "explain/blur.hpp"
#include "fovea/error.hpp"

namespace fovea::explain {
namespace {

struct Problem {
  std::vector<std::vector<double>> rows;
  std::vector<double> values, weights;
};

Problem random_problem(std::size_t unknowns, std::size_t rows) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> number(0.1, 1);
  Problem out;
  for (std::size_t i = 0; i < rows; ++i) {
    out.rows.emplace_back();
    for (std::size_t k = 0; k < unknowns; ++k) out.rows.back().push_back(number(random));
    out.values.push_back(number(random));
    out.weights.push_back(number(random));
  }
  return out;
}

double loss(const Problem& p, const std::vector<double>& x) {
  double out = 0;
  for (std::size_t i = 0; i < p.rows.size(); ++i) {
    const double off = std::inner_product(x.begin(), x.end(), p.rows[i].begin(), 0.0) - p.values[i];
    out += p.weights[i] * off * off;
  }
  return out;
}

NormalEquations equations(const Problem& p) {
  NormalEquations out(p.rows[0].size());
  for (std::size_t i = 0; i < p.rows.size(); ++i) out.add(p.rows[i], p.values[i], p.weights[i]);
  return out;
}

TEST(LeastSquares, NothingNearbyIsBetter) {
  for (const std::size_t unknowns : {1, 4, 70}) {
    const auto p = random_problem(unknowns, 3 * unknowns);
    const auto best = equations(p).solve();
    ASSERT_EQ(best.size(), unknowns);
    for (std::size_t k = 0; k < best.size(); ++k)
      for (const double step : {-1e-3, 1e-3}) {
        auto other = best;
        other[k] += step;
        EXPECT_GT(loss(p, other), loss(p, best)) << unknowns;
      }
  }
}

TEST(LeastSquares, NothingNearbyOfTheSameSumIsBetter) {
  for (const std::size_t unknowns : {1, 4, 70}) {
    const auto p = random_problem(unknowns, 3 * unknowns);
    const auto best = equations(p).solve_with_sum(0.7);
    EXPECT_NEAR(std::accumulate(best.begin(), best.end(), 0.0), 0.7, 1e-12) << unknowns;
    for (std::size_t k = 0; k + 1 < best.size(); ++k)
      for (const double step : {-1e-3, 1e-3}) {
        auto other = best;
        other[k] += step;
        other[k + 1] -= step;
        EXPECT_GT(loss(p, other), loss(p, best)) << unknowns;
      }
  }
}

TEST(LeastSquares, RowsThatLeaveItOpenAreRefused) {
  for (const std::size_t unknowns : {3, 70})
    for (std::size_t last = 2; last < unknowns; last += 17) {
      auto p = random_problem(unknowns, 4 * unknowns);
      for (auto& row : p.rows) row[last] = row[0] + row[1];
      EXPECT_THROW(equations(p).solve(), Error) << last;
      EXPECT_THROW(equations(p).solve_with_sum(1), Error) << last;
      auto ridge = equations(p);
      for (std::size_t k = 0; k < unknowns; ++k) ridge.add_ridge(k, 0.1);
      EXPECT_NO_THROW(ridge.solve()) << last;
    }
  NormalEquations none(2);
  EXPECT_THROW(none.solve(), Error);
  NormalEquations broken(2);
  broken.add(std::vector{1.0, std::numeric_limits<double>::quiet_NaN()}, 1, 1);
  EXPECT_THROW(broken.solve(), Error);
}

TEST(Blur, KeepsAConstantAndTheSum) {
  const ChannelSteps steps{2, 12, 12, 1};
  std::vector<float> flat(24, 0.5f);
  for (const float v : blurred(flat, steps, {3, 4}, 2)) EXPECT_NEAR(v, 0.5f, 1e-6f);
  std::vector<float> peak(24, 0.f);
  peak[5] = 1;
  const auto out = blurred(peak, steps, {3, 4}, 0.7);
  EXPECT_NEAR(std::accumulate(out.begin(), out.begin() + 12, 0.f), 1, 1e-6f);
  EXPECT_LT(out[5], 0.5f);
  EXPECT_EQ(std::accumulate(out.begin() + 12, out.end(), 0.f), 0);
}

}  // namespace
}  // namespace fovea::explain
