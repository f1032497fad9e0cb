#include "fovea/asking.hpp"

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "api/support.hpp"
#include "onnx/model_builder.hpp"

namespace fovea::api_test {
namespace {

using test::ModelBuilder;

/// "scores" [1, classes], with "probabilities" behind them or without.
Model classifier(std::int64_t classes, bool probabilities) {
  ModelBuilder out;
  out.input("x", {1, 3, 4, 6})
      .initializer("w", {classes, 3, 1, 1}, random_input({classes, 3, 1, 1}, 3).data)
      .add("Conv", {"x", "w"}, {"maps"})
      .add("GlobalAveragePool", {"maps"}, {"pooled"})
      .add("Flatten", {"pooled"}, {"scores"});
  if (probabilities) out.add("Softmax", {"scores"}, {"probabilities"});
  const auto bytes =
      out.output(probabilities ? "probabilities" : "scores", {1, classes}).serialize();
  return Model::from_bytes(std::as_bytes(std::span(bytes)));
}

TEST(Asking, BareOptionsKeepWhatSaysWhichNetworkItIs) {
  ExplainerOptions options;
  options.compile.batch = 3;
  options.compile.tuning = Tuning::thorough;
  options.compile.precision = Precision::automatic;
  options.prepare.layers = {"no such layer"};
  options.prepare.methods = {Method{"no such method"}};
  options.prepare.target_values = {"maps"};
  options.pool.threads = 1;
  const auto bare = bare_options(options);
  EXPECT_EQ(bare.compile.tuning, Tuning::off);
  EXPECT_EQ(bare.compile.precision, Precision::f32);
  EXPECT_TRUE(bare.prepare.layers.empty());
  EXPECT_TRUE(bare.prepare.methods.empty());
  EXPECT_EQ(bare.compile.batch, 3);
  EXPECT_EQ(bare.pool.threads, 1);
  const Explainer asked(classifier(5, false), bare);
  ASSERT_EQ(asked.target_values().size(), 1);
  EXPECT_EQ(asked.target_values()[0].shape, (Shape{5, 4, 6}));
}

TEST(Asking, AMethodIsFoundByItsWholeName) {
  ASSERT_NE(find_method("rise"), nullptr);
  EXPECT_EQ(find_method("rise")->name, "rise");
  EXPECT_EQ(find_method("ris"), nullptr);
  EXPECT_EQ(find_method(""), nullptr);
}

TEST(Asking, TheProbabilityIsOfMethodsDefinedOnItAndOfClassesThatHaveOne) {
  const Explainer classes(classifier(5, true)), single(classifier(1, false));
  ASSERT_TRUE(classes.has_probabilities());
  ASSERT_FALSE(single.has_probabilities());
  EXPECT_TRUE(explains_probability("rise", classes));
  EXPECT_FALSE(explains_probability("rise", single));
  EXPECT_FALSE(explains_probability("gradcam", classes));
  EXPECT_FALSE(explains_probability("no such method", classes));
}

}  // namespace
}  // namespace fovea::api_test
