#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "../onnx/model_builder.hpp"
#include "explain/support.hpp"

namespace fovea {
namespace {

TEST(Warnings, TellAnEmptyMapFromOneThatSpeaksAgainst) {
  for (const auto& [weight, sentence] : std::vector<std::pair<float, std::string>>{
           {0, "zero everywhere"}, {-1, "no value is above"}}) {
    test::ModelBuilder builder;
    builder.input("x", {-1, 1, 2, 2})
        .output("y")
        .initializer("w", {4, 1}, test::Floats(4, weight))
        .add("Flatten", {"x"}, {"flat"})
        .add("MatMul", {"flat", "w"}, {"y"});
    const Occlusion method{.window = 1, .stride = 1};
    ExplainerOptions options;
    options.prepare.methods = {method};
    const Explainer explainer(Model::from_bytes(test::as_bytes(builder.serialize())), options);
    const auto map = explainer.explain(Tensor{{1, 1, 2, 2}, std::vector<float>(4, 1.f)}, method);
    ASSERT_EQ(map.warnings.size(), 1U);
    EXPECT_NE(map.warnings[0].find(sentence), std::string::npos) << map.warnings[0];
  }
}

TEST(Warnings, TellWhatBiasesTookOfTheScore) {
  // y = 4 x + b of x = 1: b's part of the score is b / (4 + b).
  for (const auto& [bias, sentence] : std::vector<std::pair<float, std::string>>{
           {1, ""},
           {3.9F, ""},
           {16, "biases took 80 % of the score"},
           {-3, "biases outweigh the score: they took -3 of 1, and the map adds up to 4"}}) {
    test::ModelBuilder builder;
    builder.input("x", {-1, 1, 2, 2})
        .output("y")
        .initializer("w", {4, 1}, test::Floats(4, 1.F))
        .initializer("b", {1}, test::Floats(1, bias))
        .add("Flatten", {"x"}, {"flat"})
        .add("Gemm", {"flat", "w", "b"}, {"y"});
    const Lrp method{.composite = LrpComposite::epsilon};
    ExplainerOptions options;
    options.prepare.methods = {method};
    const Explainer explainer(Model::from_bytes(test::as_bytes(builder.serialize())), options);
    const auto map = explainer.explain(Tensor{{1, 1, 2, 2}, std::vector<float>(4, 1.f)}, method);
    ASSERT_TRUE(map.sum_rule);
    EXPECT_NEAR(map.sum_rule->biases, static_cast<double>(bias), 1e-4);
    ASSERT_EQ(map.warnings.size(), sentence.empty() ? 0U : 1U) << bias;
    if (!sentence.empty()) {
      EXPECT_NE(map.warnings[0].find(sentence), std::string::npos) << map.warnings[0];
    }
  }
}

/// A depthwise convolution's result may come from its bias alone: nothing in the image speaks for
/// it, and what comes to it ends there.
TEST(Warnings, TellWhatFindsNothingToGoTo) {
  test::ModelBuilder builder;
  builder.input("x", {-1, 1, 2, 2})
      .output("y")
      .initializer("first", {2, 1, 1, 1}, test::Floats(2, 1.F))
      .initializer("kernel", {2, 1, 1, 1}, test::Floats{-1.F, 1.F})
      .initializer("b", {2}, test::Floats{10.F, 0.F})
      .add("Conv", {"x", "first"}, {"twice"})
      .add("Relu", {"twice"}, {"above"})
      .add("Conv", {"above", "kernel", "b"}, {"depthwise"}, {test::attr("group", 2)})
      .add("Relu", {"depthwise"}, {"maps"})
      .add("GlobalAveragePool", {"maps"}, {"pooled"})
      .initializer("w", {2, 1}, test::Floats(2, 1.F))
      .add("Flatten", {"pooled"}, {"flat"})
      .add("MatMul", {"flat", "w"}, {"y"});
  ExplainerOptions options;
  options.prepare.methods = {Lrp{}};
  const Explainer explainer(Model::from_bytes(test::as_bytes(builder.serialize())), options);
  const auto map = explainer.explain(Tensor{{1, 1, 2, 2}, std::vector<float>(4, 1.f)}, Lrp{});
  ASSERT_TRUE(map.sum_rule);
  EXPECT_NEAR(map.sum_rule->biases, 0, 1e-4);
  EXPECT_NEAR(map.sum_rule->stabilizers, 9, 1e-3);
  EXPECT_NEAR(map.sum_rule->attributed, 1, 1e-3);
  ASSERT_EQ(map.warnings.size(), 1U);
  EXPECT_EQ(map.warnings[0],
            "stabilizers took 90 % of the score: the map shows what is left of it");
}

}  // namespace
}  // namespace fovea
