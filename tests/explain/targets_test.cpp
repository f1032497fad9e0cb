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
  auto run = explainer.forward(random_input(explainer));
  const auto logits = scores_of(run);
  const auto& best = run.predictions()[0];
  const auto top = run.explain(GradCam{});
  EXPECT_EQ(top.score, best.logit);
  EXPECT_EQ(top.prediction.value().class_index, best.class_index);
  const auto probability = run.explain(GradCam{}, Target::top1().of_probability());
  EXPECT_NEAR(probability.score, best.probability, 1e-6);
  EXPECT_EQ(probability.prediction.value().class_index, best.class_index);
  const auto difference = run.explain(GradCam{}, Target::difference(1, 0));
  EXPECT_NEAR(difference.score, logits[1] - logits[0], 1e-6);
  EXPECT_FALSE(difference.prediction);
  EXPECT_EQ(difference.predictions.size(), logits.size());
}

TEST(Targets, AnExplanationSaysWhatItIsOf) {
  const auto explainer = explainer_for("vgg", {GradCam{}});
  auto run = explainer.forward(random_input(explainer));
  const auto second = run.explain(GradCam{}, Target::ranked(1).of_probability().counterfactual());
  ASSERT_NE(second.target.as<Target::Ranked>(), nullptr);
  EXPECT_EQ(second.target.as<Target::Ranked>()->rank, 1);
  EXPECT_TRUE(second.target.probability && second.target.negated);
  EXPECT_EQ(second.prediction.value().class_index, second.predictions[1].class_index);
  EXPECT_EQ(second.prediction.value().probability, second.predictions[1].probability);
  const std::vector<float> weights(scores_of(run).size(), 0.5f);
  const std::vector<Target> targets = {Target::weighted(weights), Target::difference(1, 0)};
  const auto others = run.explain(GradCam{}, targets);
  ASSERT_NE(others[0].target.as<Target::Weights>(), nullptr);
  EXPECT_EQ(others[0].target.as<Target::Weights>()->factors, weights);
  ASSERT_NE(others[1].target.as<Target::Difference>(), nullptr);
  EXPECT_EQ(others[1].target.as<Target::Difference>()->index, 1);
  for (const auto& other : others) EXPECT_FALSE(other.prediction);
}

TEST(Targets, WeightsOfOneClassAreTheClass) {
  const auto explainer = explainer_for("vgg", {GradCam{}, ScoreCam{.channels = 3}});
  auto run = explainer.forward(random_input(explainer));
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
  for (std::size_t i = 0; i < one.attribution.data.size(); ++i)  // of the batch, the first image
    nearer.data[i] += static_cast<float>(step * one.attribution.data[i]);
  const auto after = explainer.explain(nearer, Saliency{}, target);
  EXPECT_NEAR(after.score - one.score, 1e-3, 2e-4);
}

TEST(Targets, ProbabilityOfASigmoidIsItsOwn) {
  const auto explainer = explainer_for("sigmoid_end", {Saliency{}});
  auto run = explainer.forward(random_input(explainer));
  const auto logit = run.explain(Saliency{}, Target::class_index(1)).attribution.data;
  const auto one = run.explain(Saliency{}, Target::class_index(1).of_probability());
  const double p = one.score;
  auto want = logit;
  for (auto& v : want) v = static_cast<float>(v * p * (1 - p));
  EXPECT_LE(difference(one.attribution.data, want), 1e-4f);
}

/// Scores at every position: [1, 3, 16, 16], each the input's own value where that is positive.
Explainer segmentation(std::vector<Method> methods) {
  ExplainerOptions options;
  options.prepare.methods = std::move(methods);
  options.compile.output = "segments";
  options.prepare.layers = {"features"};
  options.compile.tuning = Tuning::off;
  return Explainer(
      Model::load(std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/cli/fixtures/segments.onnx"),
      options);
}

TEST(Targets, ARegionOfASegmentationIsWhereTheMaskIs) {
  const auto explainer = segmentation({Saliency{}, GradCam{}, HiResCam{}});
  Tensor x{{1, 3, 16, 16}, std::vector<float>(768)};
  for (std::size_t i = 0; i < x.data.size(); ++i) x.data[i] = 0.5f + 0.001f * static_cast<float>(i);
  std::vector<float> mask(256, 0.f);
  double wanted = 0;
  for (std::size_t p = 0; p < 40; ++p) {
    mask[p] = 1;
    wanted += x.data[256 + p];
  }
  const auto target = Target::region(1, 3, mask);
  auto run = explainer.forward(x);
  const auto one = run.explain(Saliency{}, target);
  EXPECT_NEAR(one.score, wanted, 1e-3);
  EXPECT_TRUE(one.predictions.empty());  // nothing to rank at 256 positions
  for (std::size_t i = 0; i < x.data.size(); ++i)
    ASSERT_EQ(one.attribution.data[i], i / 256 == 1 ? mask[i % 256] : 0.f) << i;
  EXPECT_EQ(one.feature_map.data, mask);
  const auto map = run.explain(HiResCam{}, target).feature_map.data;
  for (std::size_t p = 0; p < 256; ++p) ASSERT_NEAR(map[p], mask[p] * x.data[256 + p], 1e-6) << p;
}

TEST(Targets, ARegionOfAnotherSizeIsRefused) {
  const auto explainer = segmentation({Saliency{}});
  auto run = explainer.forward(random_input(explainer));
  EXPECT_NE(refusal([&] {
              run.explain(Saliency{}, Target::region(0, 3, std::vector<float>(64, 1.f)));
            }).find("192 weights, the model 768 scores"),
            std::string::npos);
}

}  // namespace
}  // namespace fovea
