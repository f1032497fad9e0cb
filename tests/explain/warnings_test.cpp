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

/// Scores of two classes at the positions of the picture: two convolutions of 3 x 3 and one of 1
/// x 1.
std::string segmenter() {
  test::Floats kernel(9, 1.F), scores{1.F, -1.F};
  test::ModelBuilder builder;
  builder.input("x", {1, 1, 8, 6})
      .output("y")
      .initializer("k", {1, 1, 3, 3}, kernel)
      .initializer("s", {2, 1, 1, 1}, scores)
      .add("Conv", {"x", "k"}, {"first"},
           {test::attr("pads", std::vector<std::int64_t>{1, 1, 1, 1})})
      .add("Relu", {"first"}, {"above"})
      .add("Conv", {"above", "k"}, {"second"},
           {test::attr("pads", std::vector<std::int64_t>{1, 1, 1, 1})})
      .add("Conv", {"second", "s"}, {"y"});
  return builder.serialize();
}

Explanation of_place(const Target& target, const Method& method, const std::string& layer,
                     bool keep_sign = false) {
  ExplainerOptions options;
  options.prepare.methods = {method};
  options.prepare.targets = {target};
  options.prepare.layers = {layer};
  const Explainer explainer(Model::from_bytes(test::as_bytes(segmenter())), options);
  Tensor input{{1, 1, 8, 6}, std::vector<float>(48)};
  for (std::size_t i = 0; i < input.data.size(); ++i)
    input.data[i] = 0.1F + static_cast<float>(i % 7);
  return explainer.explain(input, method, target, {.keep_sign = keep_sign});
}

TEST(ReceptiveField, IsToldAndHoldsTheWholeMap) {
  const auto why = of_place(Target::element("y", {0, 3, 0}), HiResCam{}, "above");
  EXPECT_EQ(why.receptive_field, (std::vector<AxisRange>{{2, 5}, {0, 2}}));
  for (std::int64_t row = 0; row < 8; ++row)
    for (std::int64_t column = 0; column < 6; ++column) {
      const bool inside = row >= 2 && row < 5 && column < 2;
      EXPECT_EQ(why.feature_map.data[static_cast<std::size_t>(row * 6 + column)] > 0, inside)
          << row << ", " << column;
    }
  EXPECT_TRUE(why.warnings.empty()) << why.warnings.front();
}

TEST(ReceptiveField, OfAMaskIsThatOfAllItsPlaces) {
  std::vector<float> mask(48);
  mask[2 * 6 + 2] = mask[3 * 6 + 4] = 1;
  const auto why = of_place(Target::weighted(
                                [&] {
                                  auto all = mask;
                                  all.resize(96);
                                  return all;
                                }(),
                                "y"),
                            HiResCam{}, "above");
  EXPECT_EQ(why.receptive_field, (std::vector<AxisRange>{{1, 5}, {1, 6}}));
}

TEST(Warnings, TellAPlaceThatSeesOnePositionWhereToLook) {
  const auto why = of_place(Target::element("y", {0, 3, 4}), HiResCam{}, "second");
  EXPECT_EQ(why.receptive_field, (std::vector<AxisRange>{{3, 4}, {4, 5}}));
  ASSERT_EQ(why.warnings.size(), 1U);
  EXPECT_EQ(why.warnings[0],
            "the target depends on one position of the layer alone, (3, 4) of [8, 6]: the gradient "
            "there says nothing of what lies around it; take a layer in front (--layer 'above')");
}

/// Mirrored pictures have mirrored places, and a map that no gradient made has no bounds.
TEST(ReceptiveField, IsOfOneRunAndOfGradients) {
  const auto target = Target::element("y", {0, 3, 4});
  ExplainerOptions options;
  options.prepare.methods = {HiResCam{}};
  options.prepare.targets = {target};
  options.prepare.layers = {"above"};
  options.prepare.smoothing = true;
  const Explainer explainer(Model::from_bytes(test::as_bytes(segmenter())), options);
  const Tensor input{{1, 1, 8, 6}, std::vector<float>(48, 1.F)};
  EXPECT_TRUE(
      explainer.explain(input, HiResCam{}, target, {.smooth = true}).receptive_field.empty());
  EXPECT_FALSE(explainer.explain(input, HiResCam{}, target).receptive_field.empty());
  for (const auto& warning : of_place(target, EigenCam{}, "second").warnings)
    EXPECT_EQ(warning.find("one position"), std::string::npos) << warning;
}

TEST(Warnings, SayWhatToTryWhereAMapIsEmpty) {
  // Class 1 is class 0 with the other sign.
  const auto pooled = of_place(Target::element("y", {1, 3, 4}), GradCam{}, "above");
  ASSERT_EQ(pooled.warnings.size(), 1U);
  EXPECT_EQ(pooled.warnings[0],
            "the map is zero everywhere: all of it speaks against the target, which keep_sign "
            "(--keep-sign) shows; try HiResCAM (--method hirescam), which does not average over "
            "positions");
  const auto kept = of_place(Target::element("y", {1, 3, 4}), HiResCam{}, "second", true);
  ASSERT_EQ(kept.warnings.size(), 2U);
  EXPECT_EQ(kept.warnings[0],
            "nothing in the map speaks for the target: no value is above 0; try the layer 'above' "
            "(--layer)");
}

}  // namespace
}  // namespace fovea
