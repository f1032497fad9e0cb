#include <gtest/gtest.h>

#include <string>

#include "../onnx/model_builder.hpp"
#include "explain/support.hpp"

/// Relevance that starts from scores of fewer axes than [images, classes].
namespace fovea {
namespace {

const test::Floats kWeights = {0.5f, -1, 2, 0.25f, 1, -0.5f, 3, -2};

Explanation lrp(const test::ModelBuilder& builder, const Tensor& input, std::int64_t image = 0) {
  const Lrp method{.composite = LrpComposite::epsilon};
  ExplainerOptions options;
  options.prepare.methods = {method};
  options.compile.tuning = Tuning::off;
  options.compile.output = "y";
  options.compile.batch = input.shape[0];
  const Explainer explainer(Model::from_bytes(test::as_bytes(builder.serialize())), options);
  const Target target = Target::top1();
  return explainer.forward(input).explain(method, {&target, 1}).at(static_cast<std::size_t>(image));
}

TEST(LrpOfScores, OfOneNumberIsShared) {
  test::ModelBuilder builder;
  builder.input("x", {1, 2, 2, 2})
      .output("y", {})
      .initializer("w", {1, 2, 1, 1}, test::Floats{1, 3})
      .add("Conv", {"x", "w"}, {"c"})
      .add("ReduceMean", {"c"}, {"y"}, {test::attr("keepdims", 0)});
  const Tensor x{{1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}};
  const auto one = lrp(builder, x);
  ASSERT_EQ(one.attribution.data.size(), x.data.size());
  for (std::size_t i = 0; i < x.data.size(); ++i)
    EXPECT_NEAR(one.attribution.data[i], x.data[i] * (i < 4 ? 1 : 3) / 4, 1e-4) << i;
  ASSERT_TRUE(one.sum_rule);
  EXPECT_LT(one.sum_rule->error, 1e-4);
}

TEST(LrpOfScores, OfAProductWithAVectorAreItsTerms) {
  test::ModelBuilder builder;
  builder.input("x", {-1, 2, 2, 2})
      .output("y", {-1})
      .initializer("w", {8}, kWeights)
      .add("Flatten", {"x"}, {"flat"})
      .add("MatMul", {"flat", "w"}, {"y"});
  Tensor x{{2, 2, 2, 2}, {}};
  for (int i = 0; i < 16; ++i) x.data.push_back(static_cast<float>(i % 5 + 1));
  for (const std::int64_t image : {0, 1}) {
    const auto one = lrp(builder, x, image);
    ASSERT_EQ(one.attribution.data.size(), kWeights.size());
    for (std::size_t i = 0; i < kWeights.size(); ++i)
      EXPECT_NEAR(one.attribution.data[i],
                  x.data[static_cast<std::size_t>(image) * 8 + i] * kWeights[i], 1e-4)
          << image << ' ' << i;
    ASSERT_TRUE(one.sum_rule);
    EXPECT_LT(one.sum_rule->error, 1e-4);
  }
}

}  // namespace
}  // namespace fovea
