#include "explain/objective.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "fovea/error.hpp"

namespace fovea::explain {
namespace {

const std::vector<float> kScores = {1.25f, -0.5f, 2.f, 0.75f, -1.5f};

std::int64_t by_rank(std::int64_t rank) {
  return std::vector<std::int64_t>{2, 0, 3, 1, 4}[static_cast<std::size_t>(rank)];
}

Objective objective(const Target& target, bool sigmoid = false) {
  return {target, Reads::scores(kScores.size()), by_rank,
          sigmoid ? Probability::sigmoid : Probability::softmax};
}

struct Case {
  std::string name;
  Target target;
  bool sigmoid;
  double value;
};

class Objectives : public testing::TestWithParam<Case> {};

TEST_P(Objectives, ValueIsWhatTheTargetMeans) {
  EXPECT_NEAR(objective(GetParam().target, GetParam().sigmoid).value(kScores), GetParam().value,
              1e-6);
}

TEST_P(Objectives, GradientIsTheSlope) {
  const auto wanted = objective(GetParam().target, GetParam().sigmoid);
  std::vector<float> gradient(kScores.size(), 7.f);
  wanted.gradient(kScores, gradient);
  for (std::size_t i = 0; i < kScores.size(); ++i) {
    constexpr float kStep = 1.f / 256;  // exact in f32
    auto up = kScores, down = kScores;
    up[i] += kStep;
    down[i] -= kStep;
    const double slope = (wanted.value(up) - wanted.value(down)) / (2.0 * kStep);
    EXPECT_NEAR(gradient[i], slope, 2e-5) << i;
  }
}

double softmax(std::size_t k) {
  double sum = 0;
  for (const double v : kScores) sum += std::exp(v);
  return std::exp(static_cast<double>(kScores[k])) / sum;
}

INSTANTIATE_TEST_SUITE_P(
    All, Objectives,
    testing::Values(Case{"top1", Target::top1(), false, 2},
                    Case{"second", Target::ranked(1), false, 1.25},
                    Case{"a_class", Target::class_index(4), false, -1.5},
                    Case{"counterfactual", Target::class_index(4).counterfactual(), false, 1.5},
                    Case{"difference", Target::difference(2, 1), false, 2.5},
                    Case{"softmax", Target::class_index(0).of_probability(), false, softmax(0)},
                    Case{"negated_softmax", Target::top1().of_probability().counterfactual(), false,
                         -softmax(2)},
                    Case{"sigmoid", Target::class_index(0).of_probability(), true,
                         1 / (1 + std::exp(-1.25))},
                    Case{"rest", Target::rest(3), false, 0.75 + std::log(softmax(3))},
                    Case{"weights", Target::weighted({1, 0, -2, 0.5f, 0}), false, 1.25 - 4 + 0.375},
                    Case{"similarity", Target::similarity({1, 1, 0, 0, 0}), false,
                         0.75 / (std::sqrt(2.0) * std::sqrt(1.5625 + 0.25 + 4 + 0.5625 + 2.25))}),
    [](const auto& one) { return one.param.name; });

TEST(Objective, ProbabilityCloseToOneKeepsItsSlope) {
  const std::vector<float> sure = {30.f, 0.f};
  const Objective one(Target::class_index(0).of_probability(), Reads::scores(2), by_rank,
                      Probability::softmax);
  std::vector<float> gradient(2);
  one.gradient(sure, gradient);
  EXPECT_NEAR(gradient[0] / std::exp(-30.0), 1, 1e-3);
  EXPECT_FLOAT_EQ(gradient[0], -gradient[1]);
}

TEST(Objective, OfAnAllZeroEmbeddingIsFlat) {
  const Objective one(Target::similarity({1, 0}), Reads::scores(2), by_rank, Probability::softmax);
  std::vector<float> gradient(2, 3.f);
  one.gradient(std::vector<float>{0, 0}, gradient);
  EXPECT_EQ(gradient, (std::vector<float>{0, 0}));
  EXPECT_EQ(one.value(std::vector<float>{0, 0}), 0);
}

TEST(Objective, KnowsItsClass) {
  EXPECT_EQ(objective(Target::ranked(2)).class_index(), 3);
  EXPECT_EQ(objective(Target::class_index(1).of_probability()).class_index(), 1);
  EXPECT_EQ(objective(Target::difference(0, 1)).class_index(), -1);
}

TEST(Objective, RefusesWhatTheScoresDoNotHave) {
  const auto refused = [](const Target& target) {
    try {
      objective(target);
    } catch (const Error& error) {
      return error.code() == ErrorCode::invalid_argument;
    }
    return false;
  };
  EXPECT_TRUE(refused(Target::class_index(5)));
  EXPECT_TRUE(refused(Target::class_index(-1)));
  EXPECT_TRUE(refused(Target::ranked(5)));
  EXPECT_TRUE(refused(Target::difference(0, 5)));
  EXPECT_TRUE(refused(Target::rest(5)));
  EXPECT_TRUE(refused(Target::weighted({1, 2})));
  EXPECT_TRUE(refused(Target::weighted({1, 2, 3, 4, NAN})));
  EXPECT_TRUE(refused(Target::similarity({0, 0, 0, 0, 0})));
  EXPECT_TRUE(refused(Target::difference(0, 1).of_probability()));
  EXPECT_THROW(Target::region(3, 3, {1}), Error);
}

TEST(Objective, RegionSumsOneChannelWhereTheMaskIs) {
  const auto target = Target::region(1, 2, {0, 1, 0.5f});
  const Objective one(target, Reads::scores(6), by_rank, Probability::softmax);
  EXPECT_EQ(one.value(std::vector<float>{9, 9, 9, 1, 2, 4}), 4);
}

}  // namespace
}  // namespace fovea::explain
