#include <gtest/gtest.h>

#include "explain/support.hpp"

/// What the methods' equations say of each other.
namespace fovea {
namespace {

using namespace methods_test;

constexpr float kClose = 1e-4f;

std::vector<float> scaled(std::vector<float> v, double factor, double offset = 0) {
  for (auto& x : v) x = static_cast<float>(factor * x + offset);
  return v;
}

Tensor map_of(Run& run, const Method& method, const Target& target = Target::class_index(1)) {
  return run.explain(method, target, {.keep_sign = true}).feature_map;
}

/// A pool and one linear layer: by the head's weights, and (without optimisation) by backward
/// passes.
class PoolAndLinear : public testing::TestWithParam<bool> {
 protected:
  Explainer make(std::vector<Method> methods) const {
    return explainer_for("gap", std::move(methods),
                         [](ExplainerOptions& options) { options.compile.optimize = GetParam(); });
  }
};

TEST_P(PoolAndLinear, GradCamAndItsLikeAreCamOverThePositions) {
  const auto explainer = make({Cam{}, GradCam{}, HiResCam{}, XGradCam{}, ShapleyCam{}});
  auto run = explainer.forward(random_input(explainer));
  const Tensor cam = map_of(run, Cam{});
  const auto want = scaled(cam.data, 1.0 / static_cast<double>(cam.data.size()));
  EXPECT_LE(difference(map_of(run, GradCam{}).data, want), kClose);
  EXPECT_LE(difference(map_of(run, HiResCam{}).data, want), kClose);
  EXPECT_LE(difference(map_of(run, XGradCam{}).data, want), kClose);
  EXPECT_LE(difference(map_of(run, ShapleyCam{}).data, want), kClose);
}

TEST_P(PoolAndLinear, ReciproCamIsTheSameAndTheBias) {
  const auto explainer = make({Cam{}, ReciproCam{}});
  auto run = explainer.forward(random_input(explainer));
  const Tensor cam = map_of(run, Cam{}), recipro = map_of(run, ReciproCam{});
  // The bias is what one position's map and score leave over.
  const auto share = scaled(cam.data, 1.0 / static_cast<double>(cam.data.size()));
  const double bias = recipro.data[0] - share[0];
  EXPECT_LE(difference(scaled(recipro.data, 1, -bias), share), kClose);
}

TEST_P(PoolAndLinear, LayerCamAndElementwiseDifferByTheSignOfTheActivation) {
  // Behind a ReLU no activation is negative, so that both keep the positive weights only.
  const auto explainer = make({LayerCam{}, GradCamElementwise{}});
  auto run = explainer.forward(random_input(explainer));
  EXPECT_LE(difference(map_of(run, LayerCam{}).data, map_of(run, GradCamElementwise{}).data),
            kClose);
}

TEST_P(PoolAndLinear, AblationTakesOffWhatTheChannelAdds) {
  // sum_k w_k = (y - bias) / y for a linear head.
  const auto explainer = make({AblationCam{}, Cam{}});
  auto run = explainer.forward(random_input(explainer));
  const auto one = run.explain(AblationCam{}, Target::class_index(1), {.keep_sign = true});
  const auto other = make({AblationCam{}});
  EXPECT_GT(largest(one.feature_map.data), 0);
  EXPECT_LE(difference(other.forward(random_input(other))
                           .explain(AblationCam{}, Target::class_index(1), {.keep_sign = true})
                           .feature_map.data,
                       one.feature_map.data),
            kClose);
}

INSTANTIATE_TEST_SUITE_P(Plans, PoolAndLinear, testing::Bool(),
                         [](const auto& one) { return one.param ? "optimised" : "plain"; });

TEST(FastHeads, EveryLayerMethodGivesThePlainPlansMap) {
  std::vector<Method> all;
  for (const auto& info : methods())
    if (info.kind == MapKind::layer && info.cost.find("per channel") == std::string::npos)
      all.push_back({info.name});
  all.push_back(AblationCam{});
  const auto fast = explainer_for("mean_keepdims", all);
  const auto plain = explainer_for(
      "mean_keepdims", all, [](ExplainerOptions& options) { options.compile.optimize = false; });
  const Tensor x = random_input(fast);
  auto a = fast.forward(x), b = plain.forward(x);
  for (const auto& method : all) {
    for (const auto& target : {Target::class_index(0), Target::class_index(1).of_probability()}) {
      if (method.name == "finercam" && target.probability) continue;
      EXPECT_LE(difference(map_of(a, method, target).data, map_of(b, method, target).data), 1e-3f)
          << method.name;
    }
  }
}

TEST(Identities, IntegratedGradientsAddUpToTheScoreDifference) {
  for (const auto* network : {"vgg", "efficientnet", "resnet"}) {
    const auto explainer = explainer_for(network, {IntegratedGradients{}});
    const Tensor x = random_input(explainer);
    Tensor zero = x;
    std::fill(zero.data.begin(), zero.data.end(), 0.f);
    auto run = explainer.forward(x);
    const auto from = explainer.forward(zero);
    for (const std::int64_t rule : {0, 1, 2}) {
      const auto one =
          run.explain(IntegratedGradients{.steps = 300, .rule = rule}, Target::class_index(0));
      double sum = 0;
      for (const float v : one.attribution.data) sum += v;
      const double want = run.logits().data[0] - from.logits().data[0];
      EXPECT_NEAR(sum, want, 0.02 * std::abs(want) + 0.02) << network << " rule " << rule;
    }
  }
}

TEST(Identities, WithoutNoiseTheSmoothedMethodsAreThePlainOnes) {
  const auto explainer =
      explainer_for("vgg", {SmoothGrad{}, SmoothGradSquared{}, VarGrad{}, Saliency{},
                            SmoothGradCamPlusPlus{}, GradCamPlusPlus{}});
  auto run = explainer.forward(random_input(explainer));
  const auto gradient = run.explain(Saliency{}).attribution.data;
  const auto quiet = [](const char* name) { return Method{name, {{"samples", 3}, {"noise", 0}}}; };
  EXPECT_LE(difference(run.explain(quiet("smoothgrad")).attribution.data, gradient), kClose);
  auto squares = gradient;
  for (auto& v : squares) v *= v;
  EXPECT_LE(difference(run.explain(quiet("smoothgrad-squared")).attribution.data, squares), kClose);
  EXPECT_LE(largest(run.explain(quiet("vargrad")).attribution.data), 1e-6f * largest(squares));
  EXPECT_LE(difference(map_of(run, Method{"smooth-gradcam++",
                                          {{"samples", 2}, {"noise", 0}, {"deviation", 0}}})
                           .data,
                       map_of(run, GradCamPlusPlus{}).data),
            1e-3f);
}

TEST(Identities, GuidedGradCamIsTheProduct) {
  const auto explainer = explainer_for("vgg", {GuidedGradCam{}, GuidedBackprop{}, GradCam{}});
  auto run = explainer.forward(random_input(explainer));
  const auto guided = run.explain(GuidedBackprop{}).attribution;
  const auto cam = run.explain(GradCam{}).feature_map;
  const auto large = resized(cam, {guided.shape[1], guided.shape[2]});
  auto want = guided.data;
  for (std::size_t i = 0; i < want.size(); ++i) want[i] *= large.data[i % large.data.size()];
  EXPECT_LE(difference(run.explain(GuidedGradCam{}).attribution.data, want), kClose);
}

TEST(Identities, CounterfactualIsTheNegative) {
  const auto explainer = explainer_for("vgg", {GradCam{}});
  auto run = explainer.forward(random_input(explainer));
  const auto target = Target::class_index(2);
  EXPECT_LE(difference(scaled(map_of(run, GradCam{}, target.counterfactual()).data, -1),
                       map_of(run, GradCam{}, target).data),
            kClose);
}

TEST(Identities, ADifferenceIsTheDifferenceOfTheMaps) {
  const auto explainer = explainer_for("vgg", {GradCam{}});
  auto run = explainer.forward(random_input(explainer));
  auto want = map_of(run, GradCam{}, Target::class_index(2)).data;
  const auto other = map_of(run, GradCam{}, Target::class_index(0)).data;
  for (std::size_t i = 0; i < want.size(); ++i) want[i] -= other[i];
  EXPECT_LE(difference(map_of(run, GradCam{}, Target::difference(2, 0)).data, want), kClose);
}

TEST(Identities, ResultsDoNotDependOnTheBatch) {
  std::vector<Method> all;
  for (const auto& info : methods())
    if (info.name != "cam" && info.name != "ss-cam") {
      Method method{info.name};
      for (const auto& option : info.options) {
        if (option.name == "samples" || option.name == "steps") method.options[option.name] = 2;
        if (option.name == "channels") method.options[option.name] = 3;
      }
      // Noise is drawn image by image, so that it would be another in a batch.
      if (method.options.contains("samples") && !info.given.empty()) continue;
      if (!info.given.empty() && info.given[0].required) continue;  // differences_test
      if (info.name == "random-cam") method.given["weights"] = {};
      all.push_back(method);
    }
  for (auto& method : all) method.given.clear();
  const auto single = explainer_for("dynamic_wide", all);
  const auto pair = explainer_for("dynamic_wide", all,
                                  [](ExplainerOptions& options) { options.compile.batch = 2; });
  Tensor both = random_input(pair);
  const auto half = both.data.size() / 2;
  for (std::size_t i = half; i < 2 * half; ++i) both.data[i] += 1;  // of another class
  auto together = pair.forward(both);
  for (std::size_t n = 0; n < 2; ++n) {
    Tensor one{single.inputs()[0].shape,
               {both.data.begin() + static_cast<std::ptrdiff_t>(n * half),
                both.data.begin() + static_cast<std::ptrdiff_t>((n + 1) * half)}};
    auto alone = single.forward(one);
    const Target target = Target::top1();
    for (const auto& method : all) {
      if (method.name == "random-cam") continue;  // the second image draws on
      const auto maps = together.explain(method, std::span(&target, 1), {.keep_sign = true});
      ASSERT_NE(maps[n].prediction.value().class_index, maps[1 - n].prediction.value().class_index);
      EXPECT_LE(difference(maps[n].feature_map.data, map_of(alone, method, target).data), 1e-3f)
          << method.name << " image " << n;
    }
  }
}

}  // namespace
}  // namespace fovea
