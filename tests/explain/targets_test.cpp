#include <gtest/gtest.h>

#include "explain/support.hpp"

/// Targets other than a class's logit.
namespace fovea {
namespace {

using namespace methods_test;

/// Of the first image.
std::vector<float> scores_of(const Run& run) {
  const auto& all = run.logits();
  return {all.data.begin(), all.data.begin() + all.shape[1]};
}

TEST(Targets, TellTheirValue) {
  const auto explainer = explainer_for("vgg", {GradCam{}});
  const auto run = explainer.forward(random_input(explainer));
  const auto logits = scores_of(run);
  const auto& best = run.predictions()[0];
  const auto top = run.explain(GradCam{});
  EXPECT_EQ(top.score, best.logit);
  EXPECT_EQ(top.target.class_index, best.class_index);
  const auto probability = run.explain(GradCam{}, Target::top1().of_probability());
  EXPECT_NEAR(probability.score, best.probability, 1e-6);
  EXPECT_EQ(probability.target.class_index, best.class_index);
  const auto difference = run.explain(GradCam{}, Target::difference(1, 0));
  EXPECT_NEAR(difference.score, logits[1] - logits[0], 1e-6);
  EXPECT_EQ(difference.target.class_index, -1);
  EXPECT_EQ(difference.predictions.size(), logits.size());
}

TEST(Targets, WeightsOfOneClassAreTheClass) {
  const auto explainer = explainer_for("vgg", {GradCam{}, ScoreCam{.channels = 3}});
  const auto run = explainer.forward(random_input(explainer));
  std::vector<float> weights(scores_of(run).size(), 0.f);
  weights[1] = 1;
  for (const Method& method : {Method(GradCam{}), Method(ScoreCam{.channels = 3})})
    EXPECT_LE(difference(run.explain(method, Target::weighted(weights)).feature_map.data,
                         run.explain(method, Target::class_index(1)).feature_map.data),
              1e-5f);
}

TEST(Targets, SimilarityPullsTowardsTheOtherImage) {
  const auto explainer = explainer_for("vgg", {Saliency{}});
  const Tensor x = random_input(explainer), other = random_input(explainer, 2);
  const auto embedding = scores_of(explainer.forward(other));
  const auto target = Target::similarity(embedding);
  const auto one = explainer.explain(x, Saliency{}, target);
  EXPECT_LE(std::abs(one.score), 1);
  // A small step along the gradient brings the images closer, by as much as it says.
  double square = 0;
  for (const float g : one.attribution.data) square += static_cast<double>(g) * g;
  const double step = 1e-3 / square;
  Tensor nearer = x;
  for (std::size_t i = 0; i < nearer.data.size(); ++i)
    nearer.data[i] += static_cast<float>(step * one.attribution.data[i]);
  const auto after = explainer.explain(nearer, Saliency{}, target);
  EXPECT_NEAR(after.score - one.score, 1e-3, 2e-4);
}

TEST(Targets, ProbabilityOfASigmoidIsItsOwn) {
  const auto explainer = explainer_for("sigmoid_end", {Saliency{}});
  const auto run = explainer.forward(random_input(explainer));
  const auto logit = run.explain(Saliency{}, Target::class_index(1)).attribution.data;
  const auto one = run.explain(Saliency{}, Target::class_index(1).of_probability());
  const double p = one.score;
  auto want = logit;
  for (auto& v : want) v = static_cast<float>(v * p * (1 - p));
  EXPECT_LE(difference(one.attribution.data, want), 1e-4f);
}

}  // namespace
}  // namespace fovea
