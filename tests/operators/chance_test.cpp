#include <gtest/gtest.h>

#include "onnx/import_helpers.hpp"
#include "operators/run_graph.hpp"

/// What is drawn by chance is what is expected of it, whatever the seed.
namespace fovea::test {
namespace {

constexpr float kSeed = 7.5f;

std::vector<float> run_one(const char* op, const Shape& fed, const std::vector<float>& values,
                           Attrs attributes, bool reads, int opset = 13) {
  ModelBuilder model(opset, 7);
  model.input("x", fed);
  attributes.push_back(attr("seed", kSeed));
  model.add(op, reads ? Strings{"x"} : Strings{}, {"drawn"}, attributes);
  model.add("Cast", {"drawn"}, {"y"}, {attr("to", kFloat)}).output("y");
  return first_output(import(model).graph, {values});
}

TEST(Chance, IsItsMean) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  const std::vector<float> mean(6, 0.75f), zero(6, 0), middle(6, 2.5f), half(6, 0.5f);
  const Attrs normal{attr("mean", 0.75f), attr("scale", 3.f)};
  const Attrs uniform{attr("low", 1.f), attr("high", 4.f)};
  const auto shaped = [](Attrs attributes) {
    attributes.push_back(attr("shape", Ints{2, 3}));
    return attributes;
  };
  EXPECT_EQ(run_one("RandomNormalLike", {2, 3}, x, normal, true), mean);
  EXPECT_EQ(run_one("RandomNormalLike", {2, 3}, x, {}, true), zero);
  EXPECT_EQ(run_one("RandomUniformLike", {2, 3}, x, uniform, true), middle);
  EXPECT_EQ(run_one("RandomUniformLike", {2, 3}, x, {}, true), half);
  EXPECT_EQ(run_one("RandomNormal", {2, 3}, x, shaped(normal), false), mean);
  EXPECT_EQ(run_one("RandomUniform", {2, 3}, x, shaped(uniform), false), middle);
}

TEST(Chance, IsTheLikeliest) {
  const std::vector<float> logits{0.1f, 2, -1, -3, -2, -2.5f};
  EXPECT_EQ(run_one("Multinomial", {2, 3}, logits, {}, true), (std::vector<float>{1, 1}));
  EXPECT_EQ(run_one("Multinomial", {2, 3}, {0, 1, 2, 5, 4, 3},
                    {attr("sample_size", 2), attr("dtype", kInt64)}, true),
            (std::vector<float>{2, 2, 0, 0}));
  EXPECT_EQ(run_one("Bernoulli", {4}, {0.1f, 0.5f, 0.6f, 1}, {}, true, 15),
            (std::vector<float>{0, 0, 1, 1}));
}

TEST(Chance, IsOfFloats) {
  EXPECT_THROW(run_one("RandomNormalLike", {2}, {0, 0}, {attr("dtype", kInt64)}, true), Error);
}

}  // namespace
}  // namespace fovea::test
