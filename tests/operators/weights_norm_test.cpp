#include <gtest/gtest.h>

#include <cmath>

#include "onnx/model_builder.hpp"
#include "operators/run_graph.hpp"

/// Weights that the network standardises itself, as NFNets do: BatchNormalization of constants by
/// their own statistics, small and beyond what binding evaluates.
namespace fovea::test {
namespace {

constexpr std::int64_t kRows = 4;
constexpr float kEpsilon = 1e-4f;

std::vector<float> weights(std::int64_t columns) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < kRows * columns; ++i)
    out.push_back(static_cast<float>((i * 7919) % 2003) / 1000.f -
                  0.7f * static_cast<float>(i % 3));
  return out;
}

/// A row standardised, scaled by k + 1, shifted by k.
std::vector<double> standardised(const std::vector<float>& w, std::int64_t columns) {
  std::vector<double> out;
  for (std::int64_t k = 0; k < kRows; ++k) {
    const float* row = w.data() + k * columns;
    double mean = 0, variance = 0;
    for (std::int64_t i = 0; i < columns; ++i) mean += row[i] / static_cast<double>(columns);
    for (std::int64_t i = 0; i < columns; ++i)
      variance += (row[i] - mean) * (row[i] - mean) / static_cast<double>(columns);
    for (std::int64_t i = 0; i < columns; ++i)
      out.push_back((row[i] - mean) / std::sqrt(variance + kEpsilon) * static_cast<double>(k + 1) +
                    static_cast<double>(k));
  }
  return out;
}

enum class Form { computed_statistics, five_outputs, training_mode };

ModelBuilder model_of(Form form, std::int64_t columns) {
  ModelBuilder out(form == Form::training_mode ? 15 : 13, 8);
  const Attrs attributes{attr("epsilon", kEpsilon)};
  out.input("x", {1, kRows, columns})
      .initializer("w", {kRows, columns}, weights(columns))
      .initializer("extents", {3}, Ints{1, kRows, columns})
      .initializer("scale", {kRows}, Floats{1, 2, 3, 4})
      .initializer("bias", {kRows}, Floats{0, 1, 2, 3})
      .add("Reshape", {"w", "extents"}, {"rows"});
  if (form == Form::computed_statistics) {
    out.add("ReduceMean", {"rows"}, {"mean"}, {attr("axes", Ints{0, 2}), attr("keepdims", 0)})
        .add("ReduceMean", {"rows"}, {"kept"}, {attr("axes", Ints{0, 2})})
        .add("Sub", {"rows", "kept"}, {"centred"})
        .add("Mul", {"centred", "centred"}, {"squares"})
        .add("ReduceMean", {"squares"}, {"variance"},
             {attr("axes", Ints{0, 2}), attr("keepdims", 0)})
        .add("BatchNormalization", {"rows", "scale", "bias", "mean", "variance"}, {"n"},
             attributes);
  } else {
    out.initializer("mean", {kRows}, Floats{9, 9, 9, 9})
        .initializer("variance", {kRows}, Floats{9, 9, 9, 9});
    Attrs own = attributes;
    Strings results{"n", "m", "v", "sm", "sv"};
    if (form == Form::training_mode) {
      own.push_back(attr("training_mode", 1));
      results.resize(3);
    }
    out.add("BatchNormalization", {"rows", "scale", "bias", "mean", "variance"}, results, own);
  }
  out.add("Add", {"x", "n"}, {"y"}).output("y");
  return out;
}

TEST(WeightsNorm, IsThatOfTheWeightsAtEverySize) {
  for (const auto form : {Form::computed_statistics, Form::five_outputs, Form::training_mode})
    for (const std::int64_t columns : {5, 14400, 16416}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(form)) + " " + std::to_string(columns));
      const auto want = standardised(weights(columns), columns);
      const auto got =
          first_output(import(model_of(form, columns)).graph, {std::vector<float>(want.size(), 0)});
      ASSERT_EQ(got.size(), want.size());
      for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], want[i], 1e-4 * (1 + std::abs(want[i]))) << i;
    }
}

TEST(WeightsNorm, OfPicturesIsRefusedInTrainingMode) {
  ModelBuilder model(15, 8);
  model.input("x", {1, 2, 3})
      .initializer("v", {2}, Floats{1, 2})
      .add("BatchNormalization", {"x", "v", "v", "v", "v"}, {"y"}, {attr("training_mode", 1)})
      .output("y");
  auto graph = import(model).graph;
  try {
    graph::bind(graph, {}, 1);
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(std::string(error.what()).find("training mode"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace fovea::test
