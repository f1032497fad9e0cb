#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "explain/support.hpp"

/// Layer-wise relevance propagation from outside; its numbers: rules_test.cpp, and the goldens.
namespace fovea {
namespace {

using namespace methods_test;

std::string layer_of(const Explainer& explainer, const std::string& op) {
  for (const auto& layer : explainer.layers())
    if (layer.op == op) return layer.name;
  return {};
}

TEST(Lrp, RulesForWhatHasNoneAreRefusedByName) {
  const auto make = [](const std::string& layer, const std::string& rule) {
    return refusal([&] { explainer_for("vgg", {Lrp{.rules = {{layer, rule}}}}); });
  };
  const auto relu = layer_of(explainer_for("vgg", {GradCam{}}), "Relu");
  ASSERT_FALSE(relu.empty());
  EXPECT_NE(make(relu, "z-plus").find(relu), std::string::npos);
  EXPECT_NE(make(relu, "z-plus").find("follows no rule"), std::string::npos);
  EXPECT_NE(make("nowhere", "z-plus").find("'nowhere'"), std::string::npos);
  EXPECT_NE(make("Conv", "z-minus").find("no rule 'z-minus'"), std::string::npos);
  EXPECT_EQ(make("Conv", "gamma"), "nothing was thrown");
}

TEST(Lrp, ARuleByNameChangesTheMap) {
  const auto map = [](const Lrp& lrp) {
    const auto explainer = explainer_for("vgg", {lrp});
    return explainer.forward(random_input(explainer)).explain(lrp).attribution.data;
  };
  const auto plain = map(Lrp{});
  const auto first = explainer_for("vgg", {GradCam{}}).layers().front();
  EXPECT_GT(difference(map(Lrp{.rules = {{first.node, "w-square"}}}), plain), 1e-3f);
  // By its node and by its value; and the rule that it has anyway.
  EXPECT_EQ(map(Lrp{.rules = {{first.node, "w-square"}}}),
            map(Lrp{.rules = {{first.name, "w-square"}}}));
  EXPECT_EQ(map(Lrp{.rules = {{first.node, "flat"}}}), plain);
}

TEST(Lrp, ExplainsALayerOnRequest) {
  const Lrp lrp;
  const auto plain = explainer_for("vgg", {lrp});
  const auto input = random_input(plain);
  const auto layer = plain.default_layer();
  const auto both =
      explainer_for("vgg", {lrp}, [&](auto& options) { options.prepare.layers = {layer}; });
  auto run = both.forward(input);
  const auto at_input = run.explain(lrp);
  EXPECT_EQ(at_input.attribution.data, plain.forward(input).explain(lrp).attribution.data);
  EXPECT_EQ(at_input.layer, both.inputs()[0].name);
  const auto at_layer = run.explain(lrp, Target::top1(), {.layer = layer});
  EXPECT_EQ(at_layer.layer, layer);
  EXPECT_TRUE(at_layer.attribution.data.empty());
  EXPECT_EQ(at_layer.feature_map.shape.size(), 2u);
  ASSERT_TRUE(at_layer.sum_rule);
  EXPECT_LT(at_layer.sum_rule->error, 1e-4);  // nothing goes round it
  const double sum =
      std::accumulate(at_layer.feature_map.data.begin(), at_layer.feature_map.data.end(), 0.0);
  EXPECT_NEAR(sum, at_layer.sum_rule->attributed, 1e-4 * std::abs(sum));
  // Not prepared: no layer was named when the explainer was made.
  EXPECT_NE(refusal([&] {
              plain.forward(input).explain(lrp, Target::top1(), {.layer = layer});
            }).find("without methods or layers"),
            std::string::npos);
}

TEST(Lrp, TheErrorIsWhatGoesRoundALayer) {
  const Lrp lrp;
  const std::string branch =
      "/features/features.3/module/module.0/branches.1/branches.1.0/Conv_output_0";
  const auto explainer =
      explainer_for("resnet", {lrp}, [&](auto& options) { options.prepare.layers = {branch}; });
  const auto one =
      explainer.forward(random_input(explainer)).explain(lrp, Target::top1(), {.layer = branch});
  const auto& rule = *one.sum_rule;
  const double found = rule.attributed + rule.biases + rule.stabilizers;
  EXPECT_GT(rule.error, 0.01);
  EXPECT_NEAR(rule.error, std::abs((rule.expected - found) / rule.expected), 1e-9);
}

TEST(Lrp, StartsAtTheScore) {
  const Lrp lrp;
  const auto explainer = explainer_for("gap", {lrp});
  auto run = explainer.forward(random_input(explainer));
  const auto start = [&](const Target& target) {
    const auto one = run.explain(lrp, target);
    EXPECT_LT(one.sum_rule->error, 1e-4);
    return one.sum_rule->expected - one.score;
  };
  EXPECT_NEAR(start(Target::class_index(1)), 0, 1e-6);
  EXPECT_NEAR(start(Target::difference(1, 2)), 0, 1e-6);
  EXPECT_NEAR(start(Target::class_index(0).counterfactual()), 0, 1e-6);
}

TEST(Lrp, ImagesOfABatchDoNotMeet) {
  const Lrp lrp{.composite = LrpComposite::epsilon_gamma_box};
  const auto two = explainer_for("resnet", {lrp}, [](auto& options) {
    options.compile.batch = 2;
    for (auto& [name, shape] : options.compile.input_shapes) shape[0] = 2;
  });
  const auto one = explainer_for("resnet", {lrp}, [](auto& options) {
    for (auto& [name, shape] : options.compile.input_shapes) shape[0] = 1;
  });
  const auto input = random_input(two);
  const auto target = Target::class_index(1);
  const auto maps = two.forward(input).explain(lrp, std::span(&target, 1));
  ASSERT_EQ(maps.size(), 2u);
  for (std::size_t n = 0; n < 2; ++n) {
    Tensor image{one.inputs()[0].shape, {}};
    const auto each = input.data.size() / 2;
    image.data.assign(input.data.begin() + static_cast<std::ptrdiff_t>(n * each),
                      input.data.begin() + static_cast<std::ptrdiff_t>((n + 1) * each));
    const auto alone = one.forward(image).explain(lrp, target);
    EXPECT_LT(difference(maps[n].attribution.data, alone.attribution.data), 1e-3f);
    EXPECT_NEAR(maps[n].sum_rule->biases, alone.sum_rule->biases, 1e-3);
  }
}

}  // namespace
}  // namespace fovea
